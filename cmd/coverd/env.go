package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// twin is the name of a flag's environment variable: --listen is
// COVERD_LISTEN.
func twin(flag string) string {
	return "COVERD_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// hasTwin tells the flags of the verbs from those that cobra adds.
func hasTwin(f *pflag.Flag) bool { return f.Name != "help" }

// nameTwins puts each flag's variable into its help.
func nameTwins(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if hasTwin(f) {
			f.Usage += " [" + twin(f.Name) + "]"
		}
	})
	for _, sub := range cmd.Commands() {
		nameTwins(sub)
	}
}

// instead is, by a flag, the one that may be given in its place.
var instead = map[string]string{"snapshot": "snapshots", "snapshots": "snapshot"}

// readEnv sets the flags that the command line left alone and the environment
// names, but for those in whose place it gives another. An empty variable counts
// as unset.
func readEnv(cmd *cobra.Command) (err error) {
	given := map[string]bool{}
	cmd.Flags().Visit(func(f *pflag.Flag) { given[f.Name] = true })
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		v := os.Getenv(twin(f.Name))
		if err != nil || given[f.Name] || given[instead[f.Name]] || v == "" || !hasTwin(f) {
			return
		}
		if e := cmd.Flags().Set(f.Name, v); e != nil {
			err = fmt.Errorf("environment variable %s: %w", twin(f.Name), e)
		}
	})
	return err
}

// hasGOGC reports whether the environment says when Go's collector runs.
func hasGOGC() bool { return os.Getenv("GOGC") != "" }

// required marks flags that must be given, on the command line or by their
// twins.
func required(cmd *cobra.Command, flags ...string) {
	for _, f := range flags {
		if err := cmd.MarkFlagRequired(f); err != nil {
			panic(err) // the flag is not there: a slip in the verb
		}
	}
}
