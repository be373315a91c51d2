// Package lab records real traffic of real programs with the truth beside it: a browser plays songs from a web server, over a network of a
// chosen kind, and every packet on the browser's link goes into a data set together with what was played, when, and how.
//
// Everything happens on one machine, in network namespaces that nothing leads out of:
//
//	client: headless Chromium │ relay: rate, delay, jitter, loss, cross traffic │ server: HTTP/1.1, HTTP/2 and HTTP/3
//
// The kernel's token bucket filter (tbf) makes the rate, and its network emulator (netem) delay, jitter and loss, where it has them; what is
// left, up to all of it, the relay does itself.
//
// A rig is three such namespaces, and any number of rigs work side by side. They have no names and are held open by this
// process alone, so that the kernel takes them and their links away when it ends, however it ends.
//
// The order of work: plan draws the order of everything from the seed; a visit is one browser on one rig; a take is one
// attempt at a capture, which health accepts or has done again; store appends it to the data set with its truth. Record
// does all of it, and goes on where an earlier one stopped.
//
// What a capture must not contain is its own label. One server, one address, one port and one certificate serve all songs,
// under paths that are drawn anew for each capture and have one length; songs are drawn at random within each repetition,
// and each has a browser profile of its own. What is left to tell songs apart is how large their segments are and how many
// there are, which is what an eavesdropper on a real service sees.
//
// It needs Linux, root, Chromium and ffmpeg.
//
// Collect is the other half: the song study's loop on a real service, with the operator's own account. A Player (Chrome)
// shows the service's web player with an empty cache, API starts the songs, and what passes between the browser and the
// service's addresses is stored, atomically, capture by capture. servicetest stands in for the service in tests.
//
// What is left out: anybody else's traffic.
package lab
