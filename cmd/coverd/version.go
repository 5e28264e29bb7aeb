package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// release is this program's version: the first heading of CHANGELOG.md. It is a
// constant, and not what the Go command stamps, because snapshots name the
// program that built them and the same input must give the same bytes whatever
// checkout the binary was built in.
const release = "0.1.0"

// tool is what snapshots say built them.
const tool = "coverd " + release

// versionInfo is the JSON of coverd version.
type versionInfo struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Revision string `json:"revision,omitempty"` // commit it was built from, where known
	Modified bool   `json:"modified,omitempty"` // with changes that are not in that commit
}

func newVersion(std stdio) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "print the version",
		Example: "  coverd version --json",
		Args:    cobra.NoArgs,
		RunE:    verb(func(*cobra.Command, []string) error { return runVersion(asJSON, std) }),
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func runVersion(asJSON bool, std stdio) error {
	v := versionInfo{Version: release, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				v.Revision = s.Value
			case "vcs.modified":
				v.Modified = s.Value == "true"
			}
		}
	}
	if asJSON {
		return printJSON(std.out, v)
	}
	fmt.Fprintf(std.out, "%s (%s, %s)", tool, v.Go, v.Platform)
	if v.Revision != "" {
		fmt.Fprintf(std.out, " from %.12s", v.Revision)
	}
	if v.Modified {
		fmt.Fprint(std.out, " with changes")
	}
	fmt.Fprintln(std.out)
	return nil
}
