package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"coverd/server/receipts"
)

func newReceipt(std stdio) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "receipt",
		Short: "receipts, which prove a check: verify one, and look after the keys that sign them",
		Long: `A receipt is a signed statement about one answer: what was asked, when, from which snapshot, and what came of it. It comes
with an answer to a question with receipt=1, and with every service request. Whoever has the server's public keys can verify
it, offline and years later.`,
		Example: `  curl -s 'http://127.0.0.1:8080/v1/premises/990000000301?on=2026-12-24&receipt=1' >answer.json
  curl -s http://127.0.0.1:8080/.well-known/jwks.json >keys.json
  coverd receipt verify --keys keys.json --answer answer.json
  coverd receipt keys rotate --receipt-keys receipt-keys`,
	}
	keys := &cobra.Command{
		Use:   "keys",
		Short: "the keys that receipts are signed with: list, rotate",
		Example: `  coverd receipt keys list --receipt-keys receipt-keys
  coverd receipt keys rotate --receipt-keys receipt-keys`,
	}
	keys.AddCommand(newReceiptKeysList(std), newReceiptKeysRotate(std))
	cmd.AddCommand(newReceiptVerify(std), keys)
	return cmd
}

type receiptVerifyOptions struct {
	keys    string
	answer  string
	receipt string
	asJSON  bool
}

func newReceiptVerify(std stdio) *cobra.Command {
	var o receiptVerifyOptions
	cmd := &cobra.Command{
		Use:   "verify [RECEIPT|-]",
		Short: "check that a receipt is good, and of an answer",
		Long: `Check a receipt with a saved key set, without a server: that a key of the set signed it, and that not a byte of it was
changed. RECEIPT is the receipt, or the answer with it; - reads it from standard input. With --answer also check that it
is of that answer, which must be as it came, byte for byte; without RECEIPT, the one in the answer is checked.

Exit code 1 if it is not valid.`,
		Example: `  coverd receipt verify --keys keys.json --answer answer.json
  coverd receipt verify --keys keys.json eyJhbGciOiJFZERTQSIs...
  coverd receipt verify --keys receipt-keys - <receipt.txt`,
		Args: cobra.MaximumNArgs(1),
		RunE: verb(func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.receipt = args[0]
			}
			return runReceiptVerify(o, std)
		}),
	}
	f := cmd.Flags()
	f.StringVar(&o.keys, "keys", "", "`file` with the server's key set, from /.well-known/jwks.json, or a directory of keys (required)")
	f.StringVar(&o.answer, "answer", "", "`file` with the answer that it must be of")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	required(cmd, "keys")
	return cmd
}

func runReceiptVerify(o receiptVerifyOptions, std stdio) error {
	if o.receipt == "" && o.answer == "" {
		return usagef("give a receipt, or --answer FILE")
	}
	keys, err := readKeys(o.keys)
	if err != nil {
		return err
	}
	var answer []byte
	if o.answer != "" {
		if answer, err = os.ReadFile(o.answer); err != nil {
			return err
		}
	}
	text := []byte(o.receipt)
	switch o.receipt {
	case "":
		text = answer
	case "-":
		if text, err = io.ReadAll(io.LimitReader(std.in, 64<<20)); err != nil {
			return fmt.Errorf("standard input: %w", err)
		}
	}
	v := receipts.Judge(keys, text, answer)
	if o.asJSON {
		if err := printJSON(std.out, v); err != nil || v.Valid {
			return err
		}
		return errSilent
	}
	if !v.Valid {
		return errors.New("not valid: " + v.Detail)
	}
	return printVerdict(std.out, v)
}

// readKeys reads a key set: a file, or a directory of keys.
func readKeys(path string) (receipts.KeySet, error) {
	info, err := os.Stat(path)
	if err != nil {
		return receipts.KeySet{}, fmt.Errorf("%w; --keys is the key set that the server publishes at /.well-known/jwks.json, saved, or its directory of keys", err)
	}
	if info.IsDir() {
		keys, _, err := receipts.List(path) // what the private key is like does not matter
		return keys, err
	}
	document, err := os.ReadFile(path)
	if err != nil {
		return receipts.KeySet{}, err
	}
	keys, err := receipts.ParseKeySet(document)
	if err != nil {
		return keys, fmt.Errorf("%s: %w", path, err)
	}
	return keys, nil
}

func printVerdict(w io.Writer, v receipts.Verdict) error {
	s := v.Statement
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	line := func(name, text string) { fmt.Fprintf(t, "%s\t%s\n", name, text) }
	line("valid", v.Reference+", signed by "+s.Issuer+" with key "+v.Key)
	line("question", s.Question)
	line("answered", s.Time().Format("2006-01-02 15:04:05 MST")+", from snapshot "+s.Snapshot+" as of "+s.AsOf.String())
	outcome := s.Outcome
	if s.Reason != "" {
		outcome += ", " + s.Reason
	}
	line("outcome", strings.ReplaceAll(outcome, "_", " "))
	line("place", receiptPlace(s))
	line("coverage", receiptCoverage(s))
	if a := s.Area; a != nil {
		line("", "a coverage area around it: "+indicatedText(*a))
	}
	if v.Answer == receipts.AnswerMatches {
		what := "this answer"
		if v.Statement.OfRequest() {
			what = "the member `answer` of this"
		}
		line("answer", "it is of "+what+", byte for byte")
	} else {
		line("answer", "not compared: --answer FILE does")
	}
	return t.Flush()
}

func receiptPlace(s *receipts.Statement) string {
	var words []string
	add := func(prefix, text string) {
		if text != "" {
			words = append(words, prefix+text)
		}
	}
	p := &s.Place
	if p.UPRN.V != 0 {
		add("UPRN ", p.UPRN.V.String())
	}
	add("", p.Address)
	if p.Postcode.V.IsValid() {
		add("", p.Postcode.V.String())
	}
	if p.Sector.V.IsValid() {
		add("sector ", p.Sector.V.String())
	}
	if p.Outcode.V.IsValid() {
		add("outcode ", p.Outcode.V.String())
	}
	if l := p.Location; l != nil {
		add("", fmt.Sprintf("%.6f, %.6f", float64(l.Latitude), float64(l.Longitude)))
	}
	add("Region ", s.Region)
	return strings.Join(words, ", ")
}

func receiptCoverage(s *receipts.Statement) string {
	on := "on " + s.On.String()
	if s.Network != "" {
		on += ", network region " + s.Network + " alone"
	}
	known := ", known on " + s.Known.String()
	switch {
	case s.Estimate:
		return on + ": " + indicatedText(s.Indicated) + "; an estimate, by " + strings.ReplaceAll(s.Basis, "_", " ") + ", no claim of a provider" + known
	case s.State != "":
		return on + ": " + indicatedText(s.Indicated) + "; as providers claim" + known
	case s.Summary != nil:
		n := s.Summary
		return fmt.Sprintf("%s: of %s %d available, %d planned, %d unavailable, %d unknown%s",
			on, plural(int64(n.Premises), "premises", "premises"), n.Available, n.Planned, n.Unavailable, n.Unknown, known)
	}
	return "none is stated"
}

func indicatedText(i receipts.Indicated) string {
	text := i.State
	if i.From != 0 {
		text += ", from " + i.From.String()
	}
	if i.Until != 0 {
		text += ", until " + i.Until.String()
	}
	return text
}
