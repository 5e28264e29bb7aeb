package main

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestTwins: every flag of every verb names its environment variable in its
// help, and every verb has an example.
func TestTwins(t *testing.T) {
	root := newRoot(stdio{out: io.Discard, err: io.Discard})
	for _, cmd := range root.Commands() {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if hasTwin(f) && !strings.Contains(f.Usage, "["+twin(f.Name)+"]") {
				t.Errorf("%s --%s: the help does not name %s", cmd.Name(), f.Name, twin(f.Name))
			}
		})
		if !strings.Contains(cmd.Example, "coverd "+cmd.Name()) {
			t.Errorf("%s: no example", cmd.Name())
		}
	}
}

func TestReadEnv(t *testing.T) {
	t.Setenv("COVERD_LISTEN", "127.0.0.1:1")
	t.Setenv("COVERD_NEW_BUILDS", "0.5")
	t.Setenv("COVERD_JSON", "")
	cmd := &cobra.Command{}
	listen := cmd.Flags().String("listen", "", "")
	newBuilds := cmd.Flags().Float64("new-builds", 0, "")
	asJSON := cmd.Flags().Bool("json", false, "")
	if err := cmd.ParseFlags([]string{"--new-builds", "0.25"}); err != nil {
		t.Fatal(err)
	}
	if err := readEnv(cmd); err != nil {
		t.Fatal(err)
	}
	if *listen != "127.0.0.1:1" || *newBuilds != 0.25 || *asJSON {
		t.Errorf("listen %q, new-builds %v, json %v: want the environment's, the command line's and the default", *listen, *newBuilds, *asJSON)
	}

	t.Setenv("COVERD_JSON", "perhaps")
	if err := readEnv(cmd); err == nil || !strings.Contains(err.Error(), "COVERD_JSON") {
		t.Errorf("a bad value: error %v, want one that names COVERD_JSON", err)
	}
}

// TestReadEnvInstead: the command line wins over a flag in whose place it gives
// another.
func TestReadEnvInstead(t *testing.T) {
	t.Setenv("COVERD_SNAPSHOT", "coverd.snap")
	t.Setenv("COVERD_SNAPSHOTS", "snapshots")
	for flag, want := range map[string]snapshotFlags{"--snapshot": {snapshot: "given"}, "--snapshots": {snapshots: "given"}} {
		cmd, got := &cobra.Command{}, snapshotFlags{}
		got.flags(cmd)
		if err := cmd.ParseFlags([]string{flag, "given"}); err != nil {
			t.Fatal(err)
		}
		if err := readEnv(cmd); err != nil || got != want {
			t.Errorf("%s: %+v, want %+v: %v", flag, got, want, err)
		}
	}
}
