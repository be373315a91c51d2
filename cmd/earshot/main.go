// Command earshot measures what an eavesdropper can learn from encrypted traffic: it turns labelled captures into
// tensors, trains networks on them, and writes the tables and figures of a paper.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"earshot/data/dataset"
)

// Exit statuses; what a caller's script may rely on.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // a second Ctrl-C ends the process at once
	}()
	os.Exit(status(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr), os.Stderr))
}

// run is the whole command: tests call it as a shell would.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr}
	root := newRootCommand(a)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return root.ExecuteContext(ctx)
}

// status prints the one line of an error and returns the exit status that belongs to it.
func status(err error, stderr io.Writer) int {
	if err == nil {
		return exitDone
	}
	var u *usageError
	var unknown dataset.Unknown
	fmt.Fprintf(stderr, "earshot: %s\n", oneLine(plain(err)))
	switch {
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &u), errors.As(err, &unknown):
		return exitUsage
	}
	return exitFailed
}
