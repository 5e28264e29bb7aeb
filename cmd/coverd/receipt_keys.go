package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"coverd/server/receipts"
)

func newReceiptKeysList(std stdio) *cobra.Command {
	var dir string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "list the public keys, the one that signs first",
		Long: `List the public keys of a directory: the one that signs, and those before it, which verify what they have signed. With
--json it is the key set as the server publishes it (RFC 7517), which 'coverd receipt verify --keys' takes.`,
		Example: `  coverd receipt keys list --receipt-keys receipt-keys
  coverd receipt keys list --receipt-keys receipt-keys --json >keys.json`,
		Args: cobra.NoArgs,
		RunE: verb(func(*cobra.Command, []string) error { return runReceiptKeysList(dir, asJSON, std) }),
	}
	cmd.Flags().StringVar(&dir, "receipt-keys", "", "the `directory` of keys (required)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the key set")
	required(cmd, "receipt-keys")
	return cmd
}

func runReceiptKeysList(dir string, asJSON bool, std stdio) error {
	keys, why, err := receipts.List(dir)
	if err != nil {
		return err
	}
	if asJSON {
		document, err := keys.Document()
		if err == nil {
			fmt.Fprintf(std.out, "%s\n", document)
		}
		return err
	}
	t := tabwriter.NewWriter(std.out, 0, 8, 2, ' ', 0)
	state := "signs"
	if why != nil {
		state = "cannot sign"
	}
	fmt.Fprint(t, "state\tkey\n")
	for _, name := range keys.Names() {
		fmt.Fprintf(t, "%s\t%s\n", state, name)
		state = "verifies"
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return why
}

func newReceiptKeysRotate(std stdio) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "make a new key, which signs from now on",
		Long: `Make a new key, which signs from now on; a server that uses the directory notices before it signs again. The keys before it
stay published, so that receipts they have signed stay good. The private key that is replaced is removed. The directory is
made if it is not there. Keep a copy of the *.public.json files: without them old receipts cannot be verified.`,
		Example: `  coverd receipt keys rotate --receipt-keys receipt-keys`,
		Args:    cobra.NoArgs,
		RunE: verb(func(*cobra.Command, []string) error {
			key, err := receipts.Rotate(dir)
			if err == nil {
				fmt.Fprintf(std.out, "%s signs from now on; keys before it stay published\n", key)
			}
			return err
		}),
	}
	cmd.Flags().StringVar(&dir, "receipt-keys", "", "the `directory` of keys (required)")
	required(cmd, "receipt-keys")
	return cmd
}
