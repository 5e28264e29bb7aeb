package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/spf13/cobra"

	"coverd/index"
	"coverd/server"
)

type lookupOptions struct {
	snapshotFlags
	asked
	keys   []string
	asJSON bool
}

// asked is what is asked about keys, as far as it is said: "" where it is not.
type asked struct {
	on      string
	known   string
	address string // at postcodes
	explain bool
}

func newLookup(std stdio) *cobra.Command {
	var o lookupOptions
	cmd := &cobra.Command{
		Use:   "lookup KEY...",
		Short: "answer questions from a snapshot at the terminal",
		Long: `Answer questions from a snapshot as serve would: as text for people, or with --json as the body of the HTTP answer,
one line a key.

` + keyHelp + `

Exit code 1 if any key has no answer: malformed, or of nothing that is known. "No premises found" is an answer.`,
		Example: `  coverd lookup --snapshot coverd.snap 'GU1 1AA'
  coverd lookup --snapshot coverd.snap --on 2026-12-24 GU1 'GU1 1' 990061391234 51.2452,-0.5823 'SU 99049 50522'
  coverd lookup --snapshot coverd.snap --address '12 High St' 'GU1 1AA'
  coverd lookup --snapshots snapshots --json gu11aa`,
		Args: cobra.MinimumNArgs(1),
		RunE: verb(func(cmd *cobra.Command, args []string) error {
			o.keys = args
			return runLookup(cmd.Context(), o, std)
		}),
	}
	f := cmd.Flags()
	o.flags(cmd)
	f.StringVar(&o.on, "on", "", "the `day` asked about, such as 2026-12-24; by default today in London")
	f.StringVar(&o.address, "address", "", addressUsage)
	f.StringVar(&o.known, "known", "", "the `day` on which the snapshot is to have been asked, of postcodes and UPRNs: what was said of them then")
	f.BoolVar(&o.asJSON, "json", false, "print the bodies of the HTTP answers")
	return cmd
}

func runLookup(ctx context.Context, o lookupOptions, std stdio) error {
	if err := o.checkFor(o.keys); err != nil {
		return err
	}
	srv, err := answerer(&o.snapshotFlags)
	if err != nil {
		return err
	}
	failed := false
	for i, text := range o.keys {
		if err := ctx.Err(); err != nil {
			return err
		}
		k := parseKey(text)
		status, _, body := srv.Answer(http.MethodGet, k.uri(&o.asked))
		failed = failed || status != http.StatusOK
		if o.asJSON {
			fmt.Fprintf(std.out, "%s\n", body)
			continue
		}
		if i > 0 {
			fmt.Fprintln(std.out)
		}
		if err := answerText(std.out, k, status, body); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	if failed {
		return errSilent
	}
	return nil
}

const addressUsage = "the `address` of the premises at the postcodes asked about"

// checkFor checks what is asked about keys.
func (a *asked) checkFor(keys []string) error {
	if err := cmp.Or(checkDay("--on", a.on), checkDay("--known", a.known)); err != nil {
		return err
	}
	isPostcode := func(s string) bool { return parseKey(s).kind == keyPostcode }
	if a.address != "" && !slices.ContainsFunc(keys, isPostcode) {
		return usagef("--address %s: it is looked for at a postcode, and no key is one", a.address)
	}
	return nil
}

// checkDay checks a flag that is a day, if it was given.
func checkDay(flag, text string) error {
	if text == "" {
		return nil
	}
	if _, err := index.ParseDay(text); err != nil {
		return usagef("%s: %w", flag, err)
	}
	return nil
}

// answerer answers from a snapshot, without a network.
func answerer(o *snapshotFlags) (*server.Server, error) {
	snap, _, err := o.open()
	if err != nil {
		return nil, err
	}
	return server.New(snap, server.Options{})
}
