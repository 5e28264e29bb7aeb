package main

import (
	"fmt"
	"strings"

	"github.com/BurntSushi/toml"

	"coverd/server/duis"
)

// readCodes reads the response codes of Service Request 12.1 from a file; what it
// leaves out is as it is without one.
//
//	[success]                        # there is coverage to tell of
//	code = "I0"
//	text = "Success"
//
//	[no_premises]                    # none with this UPRN, or at this address
//	code = "E120101"
//
//	[no_data]                        # a premises, of which no CSP says whether there is coverage
//	code = "E120102"
//
//	[several_premises]               # more than one with this address
//	code = "E120103"
//
//	[not_stated]                     # what stands for what a CSP did not state and DUIS demands
//	wan_technology = "Not stated"
//	connectivity_likelihood = "Low"
func readCodes(file string) (*duis.Codes, error) {
	codes := duis.DefaultCodes()
	if file == "" {
		return &codes, nil
	}
	meta, err := toml.DecodeFile(file, &codes)
	if err != nil {
		return nil, fmt.Errorf("--wan-matrix-codes %s: %w", file, err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return nil, fmt.Errorf("--wan-matrix-codes %s: there is no %s; there are %s", file, unknown[0], strings.Join([]string{"success", "no_premises", "no_data", "several_premises", "not_stated"}, ", "))
	}
	if err := codes.Check(); err != nil {
		return nil, fmt.Errorf("--wan-matrix-codes %s: %w", file, err)
	}
	return &codes, nil
}
