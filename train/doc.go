// Package train turns a network and a tensor into a trained model: the training recipes, their optimizers and schedules,
// checkpoints, normalization, prediction, the model folder, and the forecast of what a training will cost.
//
// The steps are: Recipe gives the settings of a profile, Fit trains, Predict scores, SaveModel writes the folder that
// LoadModel reads. Three recipes exist. Profile "tsai" is fastai's one-cycle training as the song study ran it; profile
// "paper" is the training of the networks' own publications (Keras' Adam, rate halved on a plateau, the weights of the
// epoch with the lowest training loss restored). Profile "sklearn" is scikit-learn's MLPClassifier; MLP is the same for a
// table, with all of its settings, and a classical.Classifier.
//
// Everything that is random comes from Config.Seed: the same seed gives the same bits on any number of threads, whether
// or not the run was killed and resumed on the way. The package knows nothing of captures: it is handed (N, C, T)
// tensors, and what made them travels through model.json as a document that it does not read.
package train
