package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"coverd/index"
	"coverd/server"
)

type serveOptions struct {
	snapshot string
	listen   string
	admin    string
}

func newServe(std stdio) *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "answer over HTTP",
		Long: `Open and verify a snapshot and answer from it over HTTP until SIGTERM or SIGINT. Then the server is no longer ready,
requests under way are finished, and the exit code is 0; a second signal ends it at once.

Questions are answered on --listen; /livez, /readyz and /metrics are on --admin. Both are for this machine alone unless
you say otherwise. Port 0 lets the kernel choose; the log says what it chose.`,
		Example: `  coverd serve --snapshot coverd.snap
  curl 'http://127.0.0.1:8080/v1/locations?latitude=51.2452&longitude=-0.5823'`,
		Args: cobra.NoArgs,
		RunE: verb(func(cmd *cobra.Command, _ []string) error { return runServe(cmd.Context(), o, std) }),
	}
	f := cmd.Flags()
	f.StringVar(&o.snapshot, "snapshot", "", "the snapshot `file` to answer from (required)")
	f.StringVar(&o.listen, "listen", "127.0.0.1:8080", "`address` for questions")
	f.StringVar(&o.admin, "admin", "127.0.0.1:9090", "`address` for health and metrics")
	required(cmd, "snapshot")
	return cmd
}

func runServe(ctx context.Context, o serveOptions, std stdio) error {
	log := newLog(std.err)
	start := time.Now()
	snap, err := openSnapshot(o.snapshot)
	if err != nil {
		return err
	}
	info := snap.Info()
	log.Info("opened", "file", o.snapshot, "snapshot", info.ID, "as_of", info.AsOf.String(), "premises", info.Premises,
		"postcodes", info.Postcodes, "took", tookText(time.Since(start)))

	srv, err := server.New(snap, server.Options{Log: log})
	if err != nil {
		return err
	}
	keepLean(info.Memory)
	if ctx.Err() != nil {
		log.Info("stopped", "why", context.Cause(ctx).Error())
		return nil // told to while it opened the snapshot
	}
	public, err := listen(ctx, o.listen, "--listen")
	if err != nil {
		return err
	}
	admin, err := listen(ctx, o.admin, "--admin")
	if err != nil {
		return errors.Join(err, public.Close())
	}
	log.Info("listening", "public", public.Addr().String(), "admin", admin.Addr().String(), "try", tryURL(public.Addr(), snap))
	stop := context.AfterFunc(ctx, func() { log.Info("draining", "why", context.Cause(ctx).Error()) })
	defer stop()
	if err := srv.Serve(ctx, public, admin); err != nil {
		return err
	}
	log.Info("stopped")
	return nil
}

// keepLean returns what starting took to the system and, for a large snapshot,
// has the collector run whenever the heap has grown by a tenth.
//
// # Why
//
// By default it runs when the heap has doubled, and nearly all of that is the
// snapshot, which never turns to garbage: with one of 300 MB, as at national
// scale, the process would grow to 600 MB for nothing. It holds no pointers, so
// that to mark it costs next to nothing. Of a small one a tenth would be filled
// by a few requests, and the collector always at work. What GOGC says goes
// before all that.
func keepLean(snapshot int64) {
	const large = 64 << 20
	if !hasGOGC() && snapshot > large {
		debug.SetGCPercent(10)
	}
	debug.FreeOSMemory()
}

// listen opens a listener, and says what to do where the address is taken.
func listen(ctx context.Context, address, flag string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%w; choose another address with %s", err, flag)
	}
	return l, err
}

// tryURL is a question that this snapshot has an answer to.
func tryURL(at net.Addr, snap *index.Snapshot) string {
	for unit := range snap.AllPostcodes() {
		if unit.Len() > 0 {
			return (&url.URL{Scheme: "http", Host: at.String(), Path: "/v1/postcodes/" + unit.Postcode().String()}).String()
		}
	}
	return "http://" + at.String() + "/v1/snapshot"
}
