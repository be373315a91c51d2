package features

// All are the sets, in the order of the documentation.
var All = []Set{
	{"tcptrace", tcptracePaper, "the 35 fields that tcptrace prints of each direction of a connection without SYN", []Setting{mergeSetting}, openTcptrace(tcptraceFields, 0, 1)},
	{"tcptrace22", tcptracePaper, "the 22 of them that the Echo study keeps, from service to speaker", []Setting{mergeSetting}, openTcptrace(kept(), 1)},
	{"tcptrace_extra", tcptracePaper, "tcptrace's fields of connections with SYN, of outstanding data (-W) and of round-trip times (-r)", []Setting{mergeSetting}, openTcptrace(tcptraceExtra, 0, 1)},
}
