package main

import (
	"fmt"
	"os"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func newRootCommand(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:           "earshot",
		Short:         "Measure what an eavesdropper can learn from encrypted traffic",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, args []string) error { return cmd.Help() },
	}
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return a.checkGlobals() }
	f := root.PersistentFlags()
	f.Uint64Var(&a.seed, "seed", 1, "seed of every random choice")
	f.IntVar(&a.threads, "threads", 0, "worker threads (0: all)")
	f.StringVar(&a.kernel, "kernel", "", "kernel tier: auto, ref, avx2 or avx512 (default $EARSHOT_KERNEL, else auto)")
	f.BoolVar(&a.json, "json", false, "print one JSON document on stdout and nothing else")
	root.AddCommand(
		newBenchCommand(a),
		newBinCommand(a),
		newClassifyCommand(a),
		newDataCommand(a),
		newFeaturesCommand(a),
		newNetCommand(a),
		newTrainCommand(a),
		newPredictCommand(a),
		newPlanCommand(a),
		newPlotCommand(a),
		newReportCommand(a),
		newRunCommand(a),
		newVerifyCommand(a),
		newStatsCommand(a),
		newVersionCommand(a),
	)
	asUsage(root)
	return root
}

// checkGlobals refuses values of the global flags that no command knows, whether the command at hand uses them or not.
func (a *app) checkGlobals() error {
	if a.threads < 0 {
		return usagef("--threads %d: 0 (all) or more is needed", a.threads)
	}
	tiers := []string{"auto", "ref", "avx2", "avx512"}
	for _, k := range [][2]string{{"--kernel", a.kernel}, {"EARSHOT_KERNEL", os.Getenv("EARSHOT_KERNEL")}} {
		if k[1] != "" && !slices.Contains(tiers, k[1]) {
			return usagef("%s %q: it is one of %s", k[0], k[1], strings.Join(tiers, ", "))
		}
	}
	return nil
}

// asUsage turns cobra's own complaints (unknown flag, unknown command, wrong number of arguments) into wrong usage.
func asUsage(c *cobra.Command) {
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return &usageError{fmt.Errorf("%s%s; see %s --help", inCommand(c), complaint(err), c.CommandPath())}
	})
	if args := c.Args; args != nil {
		c.Args = func(cmd *cobra.Command, a []string) error {
			if err := args(cmd, a); err != nil {
				return &usageError{fmt.Errorf("%s%s; see %s --help", inCommand(cmd), complaint(err), cmd.CommandPath())}
			}
			return nil
		}
	}
	if c.PreRunE == nil {
		c.PreRunE = func(c *cobra.Command, _ []string) error {
			if err := c.ValidateRequiredFlags(); err != nil {
				return &usageError{fmt.Errorf("%s%s; see %s --help", inCommand(c), complaint(err), c.CommandPath())}
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		asUsage(sub)
	}
}

// inCommand is the command's name for the beginning of a message, without the program's.
func inCommand(c *cobra.Command) string {
	if _, name, ok := strings.Cut(c.CommandPath(), " "); ok {
		return name + ": "
	}
	return ""
}

// complaint is what cobra says, in the words of this program.
func complaint(err error) string {
	s := err.Error()
	s = arguments.ReplaceAllString(s, "needs $1 argument(s), got $2")
	s = argumentsMin.ReplaceAllString(s, "needs at least $1 argument(s), got $2")
	return unknownCommand.ReplaceAllString(s, "$1")
}

var (
	arguments      = regexp.MustCompile(`^accepts (\d+) arg\(s\), received (\d+)$`)
	argumentsMin   = regexp.MustCompile(`^requires at least (\d+) arg\(s\), only received (\d+)$`)
	unknownCommand = regexp.MustCompile(`^(unknown command ".*") for ".*"$`)
)

func newVersionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print version, commit, Go version and the kernel tier in use",
		Example: "  earshot version --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			be, err := a.backend()
			if err != nil {
				return err
			}
			v := buildVersion()
			v.Kernel = be.Name()
			if a.json {
				return a.printJSON(v)
			}
			_, err = fmt.Fprintf(a.stdout, "earshot %s\ncommit  %s\ngo      %s\nkernel  %s\n", v.Version, v.Commit, v.Go, v.Kernel)
			return err
		},
	}
}

type version struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
	Kernel  string `json:"kernel"`
}

func buildVersion() version {
	v := version{Version: "devel", Commit: "unknown"}
	bi, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	v.Go = bi.GoVersion
	if bi.Main.Version != "" && bi.Main.Version != "(devel)" {
		v.Version = bi.Main.Version
	}
	for _, s := range bi.Settings {
		switch {
		case s.Key == "vcs.revision":
			v.Commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			v.Commit += "+changes"
		}
	}
	return v
}
