package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"earshot/data/dataset"
)

// remedies say what a failed system call means for the user, and what to do about it.
var remedies = []struct {
	err         error
	what, doing string
}{
	{fs.ErrNotExist, "does not exist", "check the path"},
	{fs.ErrPermission, "permission denied", "change the permissions of the file or its folder, or take another path"},
	{syscall.EISDIR, "is a folder", "name a file"},
	{syscall.ENOTDIR, "a folder on this path is a file", "check the path"},
	{syscall.ENOTEMPTY, "the folder is not empty", "take another path"},
	{fs.ErrExist, "exists already", "take another path"},
	{syscall.ENOSPC, "no space left on the disk", "free some and run it again"},
	{syscall.EROFS, "the file system is read-only", "take another path"},
	{syscall.EIO, "reading or writing failed", "check the disk, or copy the file again"},
	{syscall.EINVAL, "cannot be read or written like a file", "take another path"},
	{syscall.ENAMETOOLONG, "the name is too long", "take a shorter path"},
	{syscall.ELOOP, "its links lead in a circle", "check the path"},
	{syscall.EMFILE, "too many files are open", "raise the limit (ulimit -n) and run it again"},
}

// plain is the message of an error in this program's words: Go's "open PATH: no such file or directory" becomes
// "PATH: does not exist; check the path". A path that stands before already is not said twice, and a remedy that the
// message has already is left as it is.
func plain(err error) string {
	msg := err.Error()
	eachError(err, func(e error) {
		before, after, found := strings.Cut(msg, e.Error())
		if !found {
			return
		}
		what, doing, path := e.Error(), "", "" // for what is not known here, Go's words are better than none
		switch e := e.(type) {
		case *fs.PathError:
			path = e.Path
		case *os.LinkError:
			path = e.New
		case *json.SyntaxError, *json.UnmarshalTypeError:
			what, doing = "is cut, damaged or of another program", "name another, or make it again"
		case *csv.ParseError:
			what, doing = fmt.Sprintf("line %d: %v", e.Line, e.Err), "correct the file"
		default:
			return
		}
		for _, r := range remedies {
			if path != "" && errors.Is(e, r.err) {
				what, doing = path+": "+r.what, r.doing
				break
			}
		}
		if strings.HasSuffix(before, path+": ") {
			what = strings.TrimPrefix(what, path+": ")
		}
		if doing != "" && !strings.Contains(after, "; ") {
			what += "; " + doing
		}
		msg = before + what + after
	})
	return strings.ReplaceAll(msg, io.ErrUnexpectedEOF.Error(), "the file ends too early")
}

// eachError calls f with err and everything that it wraps.
func eachError(err error, f func(error)) {
	if err == nil {
		return
	}
	f(err)
	switch u := err.(type) {
	case interface{ Unwrap() error }:
		eachError(u.Unwrap(), f)
	case interface{ Unwrap() []error }:
		for _, e := range u.Unwrap() {
			eachError(e, f)
		}
	}
}

// oneLine keeps an error a single line, whatever it joins or quotes.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}

// fileOrUsage is wrong usage, unless it is about a file that could not be read.
func fileOrUsage(format string, err error) error {
	var p *fs.PathError
	var f *dataset.FileError
	if errors.As(err, &p) || errors.As(err, &f) {
		return fmt.Errorf(format, err)
	}
	return usagef(format, err)
}
