package main

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// leaves are the commands that do something, with those that only hold others left out.
func leaves(c *cobra.Command) []*cobra.Command {
	var out []*cobra.Command
	for _, sub := range c.Commands() {
		if sub.HasSubCommands() {
			out = append(out, leaves(sub)...)
		} else if sub.Name() != "help" && sub.Name() != "completion" {
			out = append(out, sub)
		}
	}
	return out
}

// TestExamples: the help of every command shows a run, and each line of it is one that the command line takes: its flags
// exist with values of their kind, the arguments are as many as needed, and no required flag is missing.
func TestExamples(t *testing.T) {
	n := 0
	for _, leaf := range leaves(newRootCommand(&app{stdout: io.Discard, stderr: io.Discard})) {
		if n++; strings.TrimSpace(leaf.Example) == "" {
			t.Errorf("%s: no example", leaf.CommandPath())
			continue
		}
		own := false
		for _, line := range strings.Split(leaf.Example, "\n") {
			words, err := shellWords(line)
			if err != nil || len(words) == 0 || words[0] != "earshot" {
				t.Errorf("%s: %q: no earshot command; %v", leaf.CommandPath(), line, err)
				continue
			}
			root := newRootCommand(&app{stdout: io.Discard, stderr: io.Discard}) // fresh: flags keep what was parsed
			c, args, err := root.Find(words[1:])
			if err != nil {
				t.Errorf("%s: %q: %v", leaf.CommandPath(), line, err)
				continue
			}
			own = own || c.CommandPath() == leaf.CommandPath()
			if err := c.ParseFlags(args); err != nil {
				t.Errorf("%q: %v", line, err)
				continue
			}
			if err := c.ValidateArgs(c.Flags().Args()); err != nil {
				t.Errorf("%q: %v", line, err)
			}
			if err := c.ValidateRequiredFlags(); err != nil {
				t.Errorf("%q: %v", line, err)
			}
		}
		if !own {
			t.Errorf("%s: its example does not run it", leaf.CommandPath())
		}
	}
	if n < 20 {
		t.Errorf("%d commands; the tree was not walked", n)
	}
}

// TestHelp: every flag says what it is for, and every command in one line what it does.
func TestHelp(t *testing.T) {
	for _, c := range leaves(newRootCommand(&app{})) {
		if c.Short == "" || strings.Contains(c.Short, "\n") || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: short help %q", c.CommandPath(), c.Short)
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s --%s: no help", c.CommandPath(), f.Name)
			}
		})
	}
}

// shellWords splits a line as a POSIX shell does, as far as examples need it: quotes, and nothing of what goes to > or |.
func shellWords(line string) (words []string, err error) {
	var w strings.Builder
	open, quote := false, rune(0)
	flush := func() {
		if open {
			words = append(words, w.String())
			w.Reset()
			open = false
		}
	}
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			w.WriteRune(r)
		case r == '\'' || r == '"':
			quote, open = r, true
		case r == ' ' || r == '\t':
			flush()
		case (r == '>' || r == '|' || r == '#') && !open:
			return words, nil
		case strings.ContainsRune("<>;&`$(){}…", r):
			return nil, &usageError{errUnquoted(r)}
		default:
			w.WriteRune(r)
			open = true
		}
	}
	flush()
	if quote != 0 {
		return nil, errUnquoted(quote)
	}
	return words, nil
}

type errUnquoted rune

func (e errUnquoted) Error() string { return "a shell reads " + string(rune(e)) + " in its own way" }
