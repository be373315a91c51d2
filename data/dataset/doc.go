// Package dataset keeps labelled captures on disk and hands them out by capture_id.
//
// A data set is a folder: dataset.json names the parts that count, and the parts are Parquet files that pandas and
// DuckDB read as they are (captures-*, one row per capture; packets-*, one row per packet; flows-*, one row per 5-tuple).
// It grows by appending: a part is written under a temporary name, synced and renamed, and the rename of dataset.json is the
// moment at which it counts. What a killed writer left behind is ignored by readers and removed by the next writer; a
// lock keeps a second writer out.
//
// Nothing is ever taken out. A capture whose packets were seen before, and a capture without a byte, stay on disk with a
// mark (Capture.Excluded) and are left out of every tensor, table and split: start from Set.Included.
//
//	Import, Merge   sources or sets → folder
//	Open            folder, or bundled:NAME (data/bundled) → Set; Set.Trace and Set.Each give traces, Bin tensors, Set.Info a summary
//	ParseSplits     "stratified:5", "group=day" → saved train and test capture ids
//
// What it leaves out: decoding packets (data/capture), binning (data/binning), features.
package dataset
