package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"earshot/data/capture"
	"earshot/data/dataset"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// addressFlags are the lists that decide directions.
type addressFlags struct{ clients, servers string }

func (d *addressFlags) add(f *pflag.FlagSet) {
	f.StringVar(&d.clients, "clients", "", "addresses of the clients: CIDR,… or @FILE")
	f.StringVar(&d.servers, "servers", "", "addresses of the servers: CIDR,… or @FILE")
}

func (d *addressFlags) rule() (r capture.Rule, err error) {
	if r.Clients, err = dataset.ParsePrefixes(d.clients); err != nil {
		return r, fileOrUsage("--clients: %w", err)
	}
	if r.Servers, err = dataset.ParsePrefixes(d.servers); err != nil {
		return r, fileOrUsage("--servers: %w", err)
	}
	return r, nil
}

func newDataSuggestCommand(a *app) *cobra.Command {
	var lists addressFlags
	c := &cobra.Command{
		Use:   "suggest FILE… --clients CIDR,…|--servers CIDR,…",
		Short: "Name the peers that carry bytes and are on no list",
		Long: `Name the peers that carry bytes and are on no list, those with the most payload first.

A service sends from many addresses, and a list of them is never complete. With --servers, the peers are those of the
clients that also talk to a listed server. With --clients, they are the other ends of the clients' traffic, and both ends
of traffic between strangers. A folder gives every capture in it.`,
		Example: `  earshot data suggest captures/ --servers @service.txt
  earshot data suggest evening.pcapng --clients 192.168.0.0/16 --servers 35.186.224.0/24 --json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			rule, err := lists.rule()
			if err != nil {
				return err
			}
			if len(rule.Clients)+len(rule.Servers) == 0 {
				return usagef("data suggest: name what is known with --clients or --servers")
			}
			files, err := captureFiles(args)
			if err != nil {
				return err
			}
			s := capture.NewSuggester(rule)
			bar := a.progress("suggest", int64(len(files)), "files")
			for i, path := range files {
				if err = cmd.Context().Err(); err != nil {
					err = fmt.Errorf("data suggest: %w; nothing is stored, run it again", err)
				} else {
					err = a.eachRecord(path, func(r *capture.Record) error { s.Add(r); return nil })
				}
				if err != nil {
					break
				}
				bar.Set(int64(i+1), "")
			}
			bar.Done()
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(s.Peers())
			}
			return printPeers(a.stdout, s.Peers())
		},
	}
	lists.add(c.Flags())
	return c
}

func printPeers(out io.Writer, peers []capture.Peer) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "peer\tbytes\tpackets")
	for _, p := range peers {
		fmt.Fprintf(w, "%s\t%d\t%d\n", p.Peer, p.Bytes, p.Packets)
	}
	return w.Flush()
}

// eachRecord hands over the records of a capture. Where it is cut or damaged the rest is left out, with a line on stderr.
func (a *app) eachRecord(path string, f func(*capture.Record) error) error {
	r, err := capture.Open(path)
	if err != nil {
		return err
	}
	defer r.Close()
	var p capture.Record
	damaged := 0
	for {
		if err := r.Next(&p); err == io.EOF {
			return nil
		} else if err != nil {
			a.logLine(fmt.Sprintf("%v; the packets before it are used", err))
			return nil
		}
		if p.Damage != nil {
			switch damaged++; {
			case damaged < capture.MaxNotes:
				a.logLine(p.Damage.Error())
			case damaged == capture.MaxNotes:
				a.logLine(p.Damage.Error() + "; further ones of this file are not told")
			}
		}
		if err := f(&p); err != nil {
			return err
		}
	}
}
