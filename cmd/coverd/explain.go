package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/spf13/cobra"

	"coverd/server/api"
)

type explainOptions struct {
	snapshotFlags
	asked
	keys   []string
	asJSON bool
}

func newExplain(std stdio) *cobra.Command {
	o := explainOptions{asked: asked{explain: true}}
	cmd := &cobra.Command{
		Use:   "explain KEY [KEY]",
		Short: "say why an answer is as it is, or why two differ",
		Long: `Say why the answer to a key is as it is: the claims with their CSP, extract and day, the rule that makes each
available, planned, unavailable or unknown, which of them decides and by what each other one stands behind it, what the
Region rests on, and what an estimate goes by where no premises is found.

With two keys, say how the answers differ and why: the first fact that differs and bears on them, then all others. "Why is
mine no, and next door's yes?"

` + keyHelp + `

With --json: of one key the body of the HTTP answer to ?explain=1; of two {"comparison", "first", "second"}.
Exit code 1 if a key has no answer.`,
		Example: `  coverd explain --snapshot coverd.snap 990061391234
  coverd explain --snapshot coverd.snap --on 2026-12-24 990061391234 990061391245
  coverd explain --snapshots snapshots --address 12 'GU1 1AA'`,
		Args: cobra.RangeArgs(1, 2),
		RunE: verb(func(cmd *cobra.Command, args []string) error {
			o.keys = args
			return runExplain(cmd.Context(), o, std)
		}),
	}
	f := cmd.Flags()
	o.flags(cmd)
	f.StringVar(&o.on, "on", "", "the `day` asked about, such as 2026-12-24; by default today in London")
	f.StringVar(&o.address, "address", "", addressUsage)
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	return cmd
}

// explained is the answer to a key, with its explanation.
type explained struct {
	key         key
	status      int
	body        []byte
	Explanation *api.Explanation `json:"explanation"`
}

func runExplain(ctx context.Context, o explainOptions, std stdio) error {
	if err := o.checkFor(o.keys); err != nil {
		return err
	}
	srv, err := answerer(&o.snapshotFlags)
	if err != nil {
		return err
	}
	var found []explained
	failed := false
	for _, text := range o.keys {
		if err := ctx.Err(); err != nil {
			return err
		}
		e := explained{key: parseKey(text)}
		e.status, _, e.body = srv.Answer(http.MethodGet, e.key.uri(&o.asked))
		if e.status != http.StatusOK {
			failed = true
		} else if err := json.Unmarshal(e.body, &e); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
		found = append(found, e)
	}
	if o.asJSON {
		err = explainJSON(std.out, found)
	} else {
		err = explainText(std.out, found)
	}
	if err == nil && failed {
		return errSilent
	}
	return err
}

func explainJSON(w io.Writer, found []explained) error {
	if len(found) == 1 {
		_, err := fmt.Fprintf(w, "%s\n", found[0].body)
		return err
	}
	answer := struct {
		Comparison *api.Comparison `json:"comparison"` // null where a key has no answer
		First      json.RawMessage `json:"first"`
		Second     json.RawMessage `json:"second"`
	}{nil, found[0].body, found[1].body}
	if c, ok := compared(found); ok {
		answer.Comparison = &c
	}
	return printJSON(w, answer)
}

// compared compares two answers; ok is false where there are not two.
func compared(found []explained) (c api.Comparison, ok bool) {
	if len(found) < 2 || found[0].Explanation == nil || found[1].Explanation == nil {
		return c, false
	}
	return api.Compare(found[0].Explanation, found[1].Explanation), true
}

func explainText(w io.Writer, found []explained) error {
	if c, ok := compared(found); ok {
		fmt.Fprintln(w, c.Headline)
		for i, d := range c.Differences {
			if i == 1 {
				fmt.Fprintln(w, "\nWhat differs besides:")
			}
			fmt.Fprintf(w, "  %s\n", d.Sentence)
		}
		if len(c.Differences) == 0 {
			fmt.Fprintln(w, "  Nothing that is known of them differs.")
		}
		fmt.Fprintln(w)
	}
	for i := range found {
		e := &found[i]
		if i > 0 {
			fmt.Fprintln(w)
		}
		if e.Explanation == nil {
			if err := answerText(w, e.key, e.status, e.body); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintln(w, e.Explanation.Subject)
		for _, s := range e.Explanation.Sentences {
			fmt.Fprintf(w, "  %s\n", s)
		}
	}
	return nil
}
