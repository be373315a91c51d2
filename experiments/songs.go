package experiments

// Studies are the experiments that "earshot run" knows, by name.
var Studies = map[string]Study{"songs": Songs}

// Songs is the song study (2022): which of three songs is being streamed.
var Songs = Study{Name: "songs"}
