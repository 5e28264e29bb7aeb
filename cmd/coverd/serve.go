package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"coverd/index"
	"coverd/server"
	"coverd/server/receipts"
	"coverd/server/requests"
)

type serveOptions struct {
	snapshotFlags
	listen   string
	admin    string
	interval time.Duration
	maxAge   time.Duration
	keys     string
	issuer   string
	codes    string

	requests      string
	requestsGiven bool
	requestsKeep  int
}

// maxRequestsKeep is a hundred years in days.
const maxRequestsKeep = 36500

func newServe(std stdio) *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "answer over HTTP",
		Long: `Open and verify a snapshot and answer from it over HTTP until SIGTERM or SIGINT. Then the server is no longer ready,
requests under way are finished, and the exit code is 0; a second signal ends it at once.

With --snapshots the active generation of a directory is served. When another one is made active, by a build, by
'coverd snapshots' or at the admin listener, it is opened and verified beside the old one and takes its place between
two requests. One that cannot be opened is refused, and the old one is served on. The directory need not be writable.
With --snapshot it is one file; SIGHUP has it read again, after another was renamed over it.

Questions are answered on --listen; /livez, /readyz, /metrics and /snapshots are on --admin. Both are for this machine
alone unless you say otherwise. Port 0 lets the kernel choose; the log says what it chose.

With --receipt-keys, ?receipt=1 has an answer come with a signed receipt, and the keys are published at
/.well-known/jwks.json. The directory gets its first key if it has none; 'coverd receipt keys rotate' makes another, which
the server notices. It need not be writable after that.

Service requests are kept in the file --requests: FILE.requests.db beside the snapshot by default, or requests.db in the
directory. It is made if it is not there, and needs no setting up. Each is on disk before it is acknowledged. Where the
file is damaged, locked or may not be written to, they are refused with 503 and all else is answered; it is tried again
from time to time. A damaged file is never deleted. --requests none has none taken. What has been closed for
--requests-keep days is deleted, and so is what was told of changes as long ago.

With --max-age, /readyz says 503 and answers say that they are stale once the data is older than that, counted from the
start of the day it describes. Questions are answered all the same.

--wan-matrix-codes names a TOML file with the response codes of Service Request 12.1: [success], [no_premises], [no_data]
and [several_premises], each with code and text, and [not_stated] with wan_technology and connectivity_likelihood. What it
leaves out is as it is without one.`,
		Example: `  coverd serve --snapshot coverd.snap
  coverd serve --snapshots snapshots --max-age 72h --receipt-keys receipt-keys
  curl 'http://127.0.0.1:8080/v1/locations?latitude=51.2452&longitude=-0.5823'
  curl -d '{"latitude": 51.2452, "longitude": -0.5823}' http://127.0.0.1:8080/v1/service-requests
  curl -X POST http://127.0.0.1:9090/snapshots/rollback`,
		Args: cobra.NoArgs,
		RunE: verb(func(cmd *cobra.Command, _ []string) error {
			o.requestsGiven = cmd.Flags().Changed("requests")
			return runServe(cmd.Context(), o, std)
		}),
	}
	f := cmd.Flags()
	o.flags(cmd)
	f.StringVar(&o.listen, "listen", "127.0.0.1:8080", "`address` for questions")
	f.StringVar(&o.admin, "admin", "127.0.0.1:9090", "`address` for health, metrics and snapshots")
	f.DurationVar(&o.interval, "reload-interval", 30*time.Second, "`time` between looks at --snapshots, besides those when something changes there")
	f.StringVar(&o.requests, "requests", "", "the `file` to keep service requests in, or none; by default one beside the snapshot")
	f.IntVar(&o.requestsKeep, "requests-keep", 400, "how many `days` a service request is kept once it is closed, 30 or more; 0 for ever")
	f.DurationVar(&o.maxAge, "max-age", 0, "`age` of the data from which on the server is not ready, such as 72h; 0 for none")
	f.StringVar(&o.keys, "receipt-keys", "", "`directory` of the keys that receipts are signed with; none are given without")
	f.StringVar(&o.issuer, "receipt-issuer", "coverd", "`name` that receipts are signed in")
	f.StringVar(&o.codes, "wan-matrix-codes", "", "the TOML `file` with the response codes of Service Request 12.1; those of the DCC without it")
	return cmd
}

func (o *serveOptions) check() error {
	if err := o.snapshotFlags.check(); err != nil {
		return err
	}
	switch {
	case o.interval < time.Second:
		return usagef("--reload-interval %v: want a second or more", o.interval)
	case o.maxAge < 0:
		return usagef("--max-age %v: want an age, or 0 for none", o.maxAge)
	case o.requestsKeep != 0 && (o.requestsKeep < server.LeastRequestsKeep || o.requestsKeep > maxRequestsKeep):
		return usagef("--requests-keep %d: want %d to %d days, or 0 for ever: a request is a check that counts for %[2]d days (licence condition 49.10)",
			o.requestsKeep, server.LeastRequestsKeep, maxRequestsKeep)
	}
	return nil
}

func (o *serveOptions) source() (server.Source, error) {
	if o.snapshot != "" {
		return server.FileSource(o.snapshot), nil
	}
	return server.NewDirSource(o.snapshots)
}

// signer is who signs receipts; nil for nobody.
func (o *serveOptions) signer() (*receipts.Signer, error) {
	if o.keys == "" {
		return nil, nil
	}
	return receipts.Open(o.keys, o.issuer)
}

// ledger is where service requests are kept; nil: nowhere.
func (o *serveOptions) ledger() requests.Opener {
	switch {
	case o.requestsGiven && (o.requests == "" || o.requests == "none"):
		return nil
	case o.requestsGiven:
		return requests.SQLite(o.requests)
	case o.snapshot != "":
		return requests.SQLite(o.snapshot + ".requests.db")
	}
	return requests.SQLite(filepath.Join(o.snapshots, "requests.db"))
}

func runServe(ctx context.Context, o serveOptions, std stdio) error {
	if err := o.check(); err != nil {
		return err
	}
	// From the beginning: one that comes while the first snapshot is being opened
	// would end the process.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	log := newLog(std.err)
	srv, err := openServer(o, log)
	if err != nil {
		return err
	}
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
	defer onHangup(hangups, srv.Reload)()
	log.Info("listening", "public", public.Addr().String(), "admin", admin.Addr().String(), "try", tryURL(public.Addr(), srv.Snapshot()))
	stop := context.AfterFunc(ctx, func() { log.Info("draining", "why", context.Cause(ctx).Error()) })
	defer stop()
	if err := srv.Serve(ctx, public, admin); err != nil {
		return err
	}
	log.Info("stopped")
	return nil
}

// openServer makes a server of what there is to serve. Nothing of it but the
// server itself may keep the snapshot, which is to be freed when another takes
// its place.
func openServer(o serveOptions, log *slog.Logger) (*server.Server, error) {
	start := time.Now()
	signer, err := o.signer()
	if err != nil {
		return nil, err
	}
	codes, err := readCodes(o.codes)
	if err != nil {
		return nil, err
	}
	source, err := o.source()
	if err != nil {
		return nil, err
	}
	srv, err := server.Open(source, server.Options{
		Log: log, MaxDataAge: o.maxAge, ReloadInterval: o.interval, Receipts: signer, WANMatrixCodes: codes, Requests: o.ledger(), RequestsKeep: o.requestsKeep,
		PaceCollector: !hasGOGC(),
	})
	if err != nil {
		return nil, adviseOn(err, o.snapshot)
	}
	if signer != nil {
		log.Info("receipts are signed", "keys", o.keys, "key", signer.Keys().Names()[0])
	}
	info := srv.Snapshot().Info()
	log.Info("opened", "file", srv.File(), "snapshot", info.ID, "as_of", info.AsOf.String(), "premises", info.Premises,
		"postcodes", info.Postcodes, "took", tookText(time.Since(start)))
	debug.FreeOSMemory() // what starting took
	return srv, nil
}

// onHangup calls f at each of the signals, until it is told to stop.
func onHangup(signals chan os.Signal, f func()) (stop func()) {
	go func() {
		for range signals {
			f()
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
	}
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
