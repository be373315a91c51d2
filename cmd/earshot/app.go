package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"

	"earshot/nets/kernel"
	"earshot/nets/kernel/cpu"
)

// app carries what every subcommand shares: the streams and the flags of the root command.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer

	seed    uint64
	threads int // 0: all
	kernel  string
	json    bool
}

// usageError is a mistake in the command line: exit status 2.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// interrupted is the end of a command that Ctrl-C stopped at a safe point: exit status 130.
type interrupted struct{ msg string }

func (e *interrupted) Error() string { return e.msg }
func (e *interrupted) Unwrap() error { return context.Canceled }

// stopped says what was stopped and which command goes on from there.
func stopped(what, resume string) error {
	return &interrupted{what + ": stopped; resume with: " + resume}
}

// workers is the number of threads asked for.
func (a *app) workers() int {
	if a.threads > 0 {
		return a.threads
	}
	return runtime.GOMAXPROCS(0)
}

// backend opens the kernel tier of --kernel, else of EARSHOT_KERNEL, else the fastest one that the processor has.
func (a *app) backend() (kernel.Backend, error) { return a.backendOn(a.workers()) }

// backendOn is backend with another number of threads than --threads.
func (a *app) backendOn(threads int) (kernel.Backend, error) {
	name := a.kernel
	if name == "" {
		name = os.Getenv("EARSHOT_KERNEL")
	}
	if name == "" {
		name = "auto"
	}
	be, err := cpu.Open(name, threads)
	if err != nil {
		return nil, usagef("--kernel: %w", err)
	}
	return be, nil
}

// printJSON writes one indented document to stdout.
func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.stdout)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
