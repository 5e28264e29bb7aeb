// Command coverd is the coverage index of Great Britain's smart-metering wide
// area network: it builds a snapshot file from the night's extracts, serves it,
// and looks into it.
//
//	coverd build   --manifest coverd.toml        extracts, register and Regions in, a new generation or one snapshot file out
//	coverd serve   --snapshot coverd.snap        answer over HTTP until told to stop
//	coverd lookup  --snapshot coverd.snap KEY    one answer at the terminal
//	coverd explain --snapshot FILE KEY [KEY]     why this answer, or why two differ
//	coverd verify  FILE                          is the file whole? --sweep, --premises: is it right?
//	coverd inspect FILE                          what is in it, how often its estimates are right, and where each byte goes
//	coverd diff    OLD NEW                       what has changed from one snapshot to another
//	coverd export  --out DIR FILE                everything back out as extracts; --format: as CSV, NDJSON, GeoJSON
//	coverd annotate IN.csv --snapshot FILE       a planner's table, with coverage appended to each row
//	coverd accuracy --outcomes FILE --snapshot FILE  installations, scored against what had been indicated
//	coverd snapshots list|activate|rollback|prune --snapshots DIR  the generations of a directory
//	coverd receipt verify|keys list|keys rotate  is a receipt good? which keys sign them?
//	coverd synth   --premises N --out DIR        made-up extracts, to measure and test with
//	coverd bench   lookup --snapshot FILE        look-ups measured, each beside its floor
//	coverd bench   http --snapshot FILE          the same over HTTP, beside bare handlers and Redis
//	coverd bench   swap FILE OTHER               p99 and memory while one takes the other's place
//	coverd bench   build --manifest coverd.toml  a build, beside unpacking its files
//	coverd bench   report --sizes N,... --out DIR  all of it at several sizes, against the budgets
//	coverd version
//
// Every verb has --help with an example. Every flag --some-flag can be given as
// COVERD_SOME_FLAG in the environment; the command line wins. Answers go to
// standard output, everything else to standard error: log lines are text on a
// terminal and JSON otherwise.
//
// Exit codes: 0 done, 1 failed, 2 usage, 3 refused, by a gate or by the hook.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"coverd/loader"
)

// Exit codes.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitRefused = 3 // the input was read, and a gate says that it must not be used
)

func main() {
	// After the first signal the default comes back, so that a second one ends
	// the program at once, whatever it is doing.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], stdio{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
}

// run is the whole program but for the process around it.
func run(ctx context.Context, args []string, std stdio) int {
	out := &answers{w: std.out}
	std.out = out
	root := newRoot(std)
	root.SetArgs(args)
	root.SetIn(std.in)
	root.SetOut(std.out)
	root.SetErr(std.err)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil && out.err != nil {
		err = failure{out.err}
	}
	code := exitCode(err)
	switch {
	case err == nil || errors.Is(err, errSilent):
	case code == exitUsage:
		fmt.Fprintf(std.err, "%s: %v\nRun '%s --help' for usage.\n", cmd.CommandPath(), err, cmd.CommandPath())
	default:
		fmt.Fprintf(std.err, "%s: %v\n", cmd.CommandPath(), err)
	}
	return code
}

// newRoot assembles the verbs.
func newRoot(std stdio) *cobra.Command {
	root := &cobra.Command{
		Use:   "coverd",
		Short: "is there smart-meter WAN coverage here, which hub must be fitted, from when, and in which Region is this?",
		Long: `coverd is the spatial coverage index behind Great Britain's smart-metering SM WAN Coverage Database.

Every night the Communications Service Providers hand over coverage extracts. coverd build turns them into one
immutable snapshot file; coverd serve answers postcode, outcode, sector, premises (UPRN) and location questions from it.

Every flag --some-flag has a twin COVERD_SOME_FLAG in the environment; the command line wins.
Exit codes: 0 done, 1 failed, 2 usage, 3 refused, by a gate or by the hook.`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return readEnv(cmd) },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if cmd.Name() == "lookup" && strings.Contains(err.Error(), "shorthand flag: '") {
			return fmt.Errorf("%w; a key that starts with a minus sign goes after --", err)
		}
		return err
	})
	root.Version = release
	root.AddCommand(
		newBuild(std), newServe(std), newSnapshots(std),
		newLookup(std), newExplain(std), newDiff(std), newExport(std), newAnnotate(std), newAccuracy(std), newVerify(std), newInspect(std),
		newReceipt(std),
		newSynth(std), newBench(std), newVersion(std),
	)
	nameTwins(root)
	return root
}

// stdio is what a verb talks to.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

// errSilent ends a verb with exit code 1 when what went wrong has been said
// already.
var errSilent = errors.New("see above")

// failure marks an error of a verb that has begun its work. Every other error
// is one of usage.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

// usagef is an error of usage that only a running verb can see.
func usagef(format string, args ...any) error { return usage{fmt.Errorf(format, args...)} }

type usage struct{ error }

func (u usage) Unwrap() error { return u.error }

// refusal marks an error that says that what was built must not be used.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

// verb adapts a verb's function: its errors are failures unless they say that
// they are of usage.
func verb(f func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := f(cmd, args)
		if _, ok := errors.AsType[usage](err); err == nil || ok {
			return err
		}
		return failure{err}
	}
}

// exitCode is the one place where errors become exit codes.
func exitCode(err error) int {
	if err == nil {
		return exitDone
	}
	if _, ok := errors.AsType[failure](err); !ok {
		return exitUsage
	}
	if _, ok := errors.AsType[*loader.RefusedError](err); ok {
		return exitRefused
	}
	if _, ok := errors.AsType[refusal](err); ok {
		return exitRefused
	}
	return exitFailed
}
