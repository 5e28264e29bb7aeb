package main

import "testing"

// What stands in a report is no path of the machine that it was made on.
func TestCommandLine(t *testing.T) {
	for want, args := range map[string][]string{
		"coverd bench report --sizes 1000,2000 --out bin/bench":        {"bench", "report", "--sizes", "1000,2000", "--out", "bin/bench"},
		"coverd bench report --register codepo_gb --work= --out=bench": {"bench", "report", "--register", "/data/codepo_gb/", "--work=", "--out=../../bench"},
		"coverd bench http --snapshot *.snap --share 0.5":              {"bench", "http", "--snapshot", "/srv/*.snap", "--share", "0.5"},
	} {
		if got := commandLine(args); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
