package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"coverd/geo"
	"coverd/index"
)

// postgresTables are what a careful user of PostGIS would make: narrow rows,
// claims by the number of their set.
const postgresTables = `
CREATE EXTENSION postgis;
CREATE TABLE premises (uprn bigint, postcode text, address text, region smallint, claims integer, at geometry(Point, 4326));
CREATE TABLE regions (region smallint, land geometry);`

// postgresIndexes are what the questions about premises want, and
// postgresUpkeep what keeps the answers fast. VACUUM is not told to be parallel:
// that takes shared memory, of which containers have little.
var (
	postgresIndexes = []string{
		"CREATE INDEX ON premises (postcode)",
		"CREATE INDEX ON premises (uprn)",
		"CREATE INDEX ON premises USING gist (at)",
	}
	postgresUpkeep = []string{
		"CREATE INDEX ON regions USING gist (land)",
		"VACUUM (PARALLEL 0, ANALYZE) premises",
		"ANALYZE regions",
	}
)

// fillPostgres fills and indexes the tables. It returns how many premises there
// are, how long COPY and indexes of premises took, and how many bytes they are.
func fillPostgres(ctx context.Context, conn *pgx.Conn, c *Catalogue, some part, o *PeerOptions) (n int64, took time.Duration, bytes int64, err error) {
	if _, err = conn.Exec(ctx, postgresTables); err != nil {
		if strings.Contains(err.Error(), `extension "postgis" is not available`) {
			err = fmt.Errorf("PostGIS: %w", errNotInstalled)
		}
		return 0, 0, 0, err
	}
	for _, r := range geo.Regions {
		// Subdivided: a polygon of 100,000 vertices answers ten times slower.
		_, err = conn.Exec(ctx, "INSERT INTO regions SELECT $1::smallint, ST_Subdivide(ST_MakeValid(ST_GeomFromText($2, 4326)), 64)",
			int16(r), string(wkt(c.Snap.RegionShape(r))))
		if err != nil {
			return 0, 0, 0, err
		}
	}
	o.Progress.report(rowPeerLoad, 0, 1)
	start := time.Now()
	reader, writer := io.Pipe()
	go func() { writer.CloseWithError(copyPremises(writer, c.Snap, some)) }()
	tag, err := conn.PgConn().CopyFrom(ctx, reader, "COPY premises FROM STDIN")
	_ = reader.Close() // so that the writer ends if COPY did not read it all
	if err != nil {
		return 0, 0, 0, err
	}
	for _, sql := range postgresIndexes {
		if _, err = conn.Exec(ctx, sql); err != nil {
			return 0, 0, 0, err
		}
	}
	took = time.Since(start)
	for _, sql := range postgresUpkeep {
		if _, err = conn.Exec(ctx, sql); err != nil {
			return 0, 0, 0, err
		}
	}
	err = conn.QueryRow(ctx, "SELECT pg_total_relation_size('premises')").Scan(&bytes)
	return tag.RowsAffected(), took, bytes, err
}

// part is some of a country's postcodes, evenly: about take of so many premises
// lie in them.
type part struct{ take, of uint64 }

// has reports whether a postcode belongs. It is decided by a hash of it, so
// that whole postcodes do, everywhere.
func (s part) has(p geo.Postcode) bool {
	if s.take >= s.of {
		return true
	}
	return p.IsValid() && uint64(p.Ordinal())*0x9E3779B97F4A7C15>>32 < s.take<<32/s.of
}

// keys draws hits at the postcodes that belong.
func (s part) keys(c *Catalogue, o *PeerOptions) (*Keys, error) {
	var units []index.Unit
	for _, unit := range c.filled {
		if s.has(unit.Postcode()) {
			units = append(units, unit)
		}
	}
	rng := random("peers", o.Seed)
	draw, err := c.hits(units, rng)
	if err != nil {
		return nil, err
	}
	var keys Keys
	for range o.Keys {
		keys.add(draw())
	}
	return &keys, nil
}

// copyPremises writes some premises as COPY reads them.
func copyPremises(w io.Writer, snap *index.Snapshot, some part) error {
	buf := bufio.NewWriterSize(w, 1<<20)
	var b []byte
	escape := strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`)
	optional := func(there bool, text string) {
		if there {
			b = append(b, escape.Replace(text)...)
		} else {
			b = append(b, `\N`...)
		}
	}
	var failed error
	for p := range snap.AllPremises() {
		if failed != nil {
			break
		}
		if !some.has(p.Postcode()) {
			continue
		}
		b = b[:0]
		optional(p.UPRN().IsValid(), p.UPRN().String())
		b = append(b, '\t')
		optional(p.Postcode().IsValid(), p.Postcode().String())
		b = append(b, '\t')
		optional(len(p.Address()) > 0, string(p.Address()))
		b = append(b, '\t')
		b = strconv.AppendInt(b, int64(p.Region().Region), 10)
		b = append(b, '\t')
		b = strconv.AppendUint(b, uint64(p.Claims().Code()), 10)
		b = append(b, '\t')
		at := p.At().LatLng()
		optional(p.At().IsValid(), "SRID=4326;POINT("+strconv.FormatFloat(at.Lng, 'f', 6, 64)+" "+strconv.FormatFloat(at.Lat, 'f', 6, 64)+")")
		b = append(b, '\n')
		_, failed = buf.Write(b)
	}
	return errors.Join(failed, buf.Flush())
}
