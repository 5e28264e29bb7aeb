package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"coverd/geo"
)

// PeerOptions say how peers are measured. The zero value works.
type PeerOptions struct {
	Seed        uint64
	Premises    int           // as many are put into PostgreSQL at most: 3,000,000 by default
	Keys        int           // different questions: 1,024 by default
	Connections int           // 16 by default
	Turn        time.Duration // of each measurement: two seconds by default
	Progress    Progress
}

// Rows of peers.
const (
	rowPeer     = "peer: "
	rowPeerLoad = rowPeer + "PostgreSQL, COPY and three indexes"
)

// Peers asks others the same questions, over a socket, from one client and from
// several. One that is not installed, or fails, is left out, and it says why.
func Peers(ctx context.Context, c *Catalogue, o PeerOptions) (rows []Row, skipped []string, err error) {
	o.Premises = cmp.Or(o.Premises, 3_000_000)
	o.Keys = cmp.Or(o.Keys, 1024)
	o.Connections = cmp.Or(o.Connections, 16)
	o.Turn = cmp.Or(o.Turn, 2*time.Second)
	for _, peer := range []struct {
		name    string
		measure func(context.Context, *Catalogue, *PeerOptions) ([]Row, error)
	}{{"Redis GEOSEARCH", redisPeer}, {"PostgreSQL with PostGIS", postgresPeer}} {
		o.Progress.report(rowPeer+peer.name, 0, 1)
		r, err := peer.measure(ctx, c, &o)
		switch {
		case ctx.Err() != nil:
			return nil, nil, fmt.Errorf("%s: %w", peer.name, errors.Join(ctx.Err(), err))
		case err != nil:
			skipped = append(skipped, peer.name+": "+err.Error())
		default:
			rows = append(rows, r...)
		}
	}
	return rows, skipped, nil
}

// redisPeer finds the nearest postcodes with GEOSEARCH.
func redisPeer(ctx context.Context, c *Catalogue, o *PeerOptions) (rows []Row, err error) {
	keys, err := c.Draw(Hits, o.Seed, o.Keys)
	if err != nil {
		return nil, err
	}
	redis, err := startRedis(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, redis.stop()) }()
	degrees := func(v float64) string { return strconv.FormatFloat(v, 'f', 6, 64) }
	postcodes := 0
	err = redis.pipeline(ctx, func(send func(words ...string)) {
		for unit := range c.Snap.AllPostcodes() {
			if at := unit.At(); at.IsValid() {
				p := at.LatLng()
				postcodes++
				send("GEOADD", "postcodes", degrees(p.Lng), degrees(p.Lat), unit.Postcode().String())
			}
		}
	})
	if err != nil {
		return nil, err
	}
	t := &target{name: "Redis", addr: redis.addr, read: readRESP, cpu: redis.cpu}
	for _, p := range keys.Points {
		t.requests = append(t.requests, appendRESP(nil, "GEOSEARCH", "postcodes", "FROMLONLAT", degrees(p.Lng), degrees(p.Lat),
			"BYRADIUS", "2000", "m", "ASC", "COUNT", strconv.Itoa(nearestLimit), "WITHDIST"))
	}
	one, err := t.closed(ctx, 1, o.Turn)
	if err != nil {
		return nil, err
	}
	many, err := t.closed(ctx, o.Connections, o.Turn)
	if err != nil {
		return nil, err
	}
	return []Row{peerRow("Redis GEOSEARCH, 10 nearest postcodes within 2 km", thousands(float64(postcodes))+" postcodes", one, many, o)}, nil
}

// peerRow has the latency of one client and, in its note, the throughput of
// several, and of how much they were asked.
func peerRow(name, of string, one, many *load, o *PeerOptions) Row {
	r := Row{
		Name: rowPeer + name, Unit: unitUs,
		Note: fmt.Sprintf("one client; %d of them: %s requests/s; of %s", o.Connections, thousands(*rounded(many.rate())), of),
	}
	r.percentiles(one.latency, 1e-3)
	return r
}

// postgresPeer puts premises and Regions into tables with every index that the
// questions want, and asks.
func postgresPeer(ctx context.Context, c *Catalogue, o *PeerOptions) (rows []Row, err error) {
	server, err := startPostgres(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	conn, err := server.connect(ctx)
	if err != nil {
		return nil, err
	}
	some := part{of: uint64(max(c.Snap.Info().Premises, 1)), take: uint64(o.Premises)}
	keys, err := some.keys(c, o)
	if err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	n, took, bytes, err := fillPostgres(ctx, conn, c, some, o)
	err = errors.Join(err, conn.Close(ctx))
	if err != nil {
		return nil, err
	}
	of := thousands(float64(n)) + " premises"
	rows = append(rows,
		Row{Name: rowPeerLoad, N: n, Unit: unitSecond, P50: rounded(took.Seconds()), Note: "of premises that are merged already; without VACUUM, and without care for crashes: fsync is off"},
		Row{Name: rowPeer + "PostgreSQL, premises and indexes", N: n, Unit: unitEach, P50: rounded(float64(bytes) / float64(max(n, 1)))})

	const point = "ST_SetSRID(ST_MakePoint($1, $2), 4326)"
	at := func(i int) []any {
		p := wrapped(keys.Points, i)
		return []any{p.Lng, p.Lat}
	}
	for _, q := range []struct {
		name, sql string
		args      func(i int) []any
	}{
		{
			"PostgreSQL, a postcode's premises", "SELECT uprn, address, region, claims, ST_X(at), ST_Y(at) FROM premises WHERE postcode = $1",
			func(i int) []any { return []any{wrapped(keys.Postcodes, i).String()} },
		},
		{"PostGIS, Region of a point (ST_Covers, subdivided)", "SELECT region FROM regions WHERE ST_Covers(land, " + point + ") LIMIT 1", at},
		{"PostGIS, 10 nearest premises (<->, in degrees)", "SELECT uprn, postcode FROM premises ORDER BY at <-> " + point + " LIMIT 10", at},
	} {
		o.Progress.report(rowPeer+q.name, 0, 1)
		one, err := server.ask(ctx, 1, o.Turn, q.sql, q.args)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.name, err)
		}
		many, err := server.ask(ctx, o.Connections, o.Turn, q.sql, q.args)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.name, err)
		}
		rows = append(rows, peerRow(q.name, of, one, many, o))
	}
	return rows, nil
}

// ask runs a prepared query from so many connections in closed loop.
func (s *postgresServer) ask(ctx context.Context, connections int, d time.Duration, sql string, args func(i int) []any) (*load, error) {
	sum := newLoad()
	loads := make([]load, connections)
	conns := make([]*pgx.Conn, 0, connections)
	defer func() {
		for _, conn := range conns {
			_ = conn.Close(context.WithoutCancel(ctx))
		}
	}()
	for range connections {
		conn, err := s.connect(ctx)
		if err != nil {
			return nil, err
		}
		conns = append(conns, conn)
		if _, err := conn.Prepare(ctx, "question", sql); err != nil {
			return nil, err
		}
		for i := range 20 { // until it has a plan and its caches
			if err := askPostgres(ctx, conn, args(i)); err != nil {
				return nil, err
			}
		}
	}
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	start := time.Now()
	for i, conn := range conns {
		l := &loads[i]
		*l = newLoad()
		g.Go(func() error {
			for sent := time.Now(); sent.Sub(start) < d; {
				if err := askPostgres(ctx, conn, args(int(next.Add(1)))); err != nil {
					return err
				}
				now := time.Now()
				record(l.latency, now.Sub(sent))
				l.n++
				sent = now
			}
			return nil
		})
	}
	err := g.Wait()
	sum.elapsed = time.Since(start)
	for i := range loads {
		sum.n += loads[i].n
		sum.latency.Merge(loads[i].latency)
	}
	return &sum, err
}

// askPostgres asks the prepared question and reads the answer to its end.
func askPostgres(ctx context.Context, conn *pgx.Conn, args []any) error {
	rows, err := conn.Query(ctx, "question", args...)
	if err != nil {
		return err
	}
	rows.Close()
	return rows.Err()
}

// wkt writes a Region's land as PostGIS reads it.
func wkt(m geo.MultiPolygon) []byte {
	b := []byte("MULTIPOLYGON(")
	vertex := func(p geo.LatLng) {
		b = strconv.AppendFloat(b, p.Lng, 'f', -1, 64)
		b = append(b, ' ')
		b = strconv.AppendFloat(b, p.Lat, 'f', -1, 64)
	}
	for i, polygon := range m {
		b = append(b, separator(i)+"("...)
		for k, ring := range polygon {
			b = append(b, separator(k)+"("...)
			for _, p := range ring {
				vertex(p)
				b = append(b, ',')
			}
			vertex(ring[0]) // closed
			b = append(b, ')')
		}
		b = append(b, ')')
	}
	return append(b, ')')
}

func separator(i int) string {
	if i == 0 {
		return ""
	}
	return ","
}
