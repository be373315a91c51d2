package lab

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// ladder are the renditions of a film: height and the most that they may take, kbit/s. The player measures what the network gives
// and chooses.
var ladder = []struct{ height, kbits int }{{240, 400}, {360, 900}, {480, 1800}}

// videoArgs are ffmpeg's arguments that make all renditions of a film and the list of them. Key frames lie at the segments' ends,
// so that renditions can be changed there.
func (f Format) videoArgs(dir string, audio bool) []string {
	step := strconv.FormatFloat(f.Segment.Seconds(), 'f', -1, 64)
	var filter, streams []string
	args := []string{"-map_chapters", "-1"}
	split := fmt.Sprintf("[0:v:0]fps=25,split=%d", len(ladder))
	for i, r := range ladder {
		split += fmt.Sprintf("[s%d]", i)
		filter = append(filter, fmt.Sprintf("[s%d]scale=-2:%d[v%d]", i, r.height, i))
	}
	args = append(args, "-filter_complex", split+";"+strings.Join(filter, ";"))
	for i, r := range ladder {
		n := strconv.Itoa(i)
		args = append(args, "-map", "[v"+n+"]", "-maxrate:v:"+n, strconv.Itoa(r.kbits)+"k", "-bufsize:v:"+n, strconv.Itoa(2*r.kbits)+"k")
		stream := "v:" + n
		if audio {
			args = append(args, "-map", "0:a:0")
			stream += ",a:" + n
		}
		streams = append(streams, stream)
	}
	args = append(args,
		"-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-pix_fmt", "yuv420p", "-sc_threshold", "0",
		"-force_key_frames", "expr:gte(t,n_forced*"+step+")", "-c:a", "aac", "-b:a", "96k", "-ac", "2",
		"-var_stream_map", strings.Join(streams, " "), "-master_pl_name", "media.m3u8",
		"-f", "hls", "-hls_time", step, "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4", "-hls_flags", "independent_segments",
		"-hls_fmp4_init_filename", "init-%v.mp4", "-hls_segment_filename", filepath.Join(dir, "segment-%v-%05d.m4s"), filepath.Join(dir, "media-%v.m3u8"))
	return args
}
