package server

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"testing"

	"coverd/geo"
	"coverd/index"
	"coverd/index/generations"
)

// Canaries are snapshots that tell themselves apart in whatever is answered
// from them: texts of all kinds hold the number of theirs, as-of days differ,
// and so do the numbers of premises, so that what is ready-made for one does
// not fit another.

// canary finds a canary's number in an answer.
var canary = regexp.MustCompile(`canary-([0-9]+)\b`)

// Outcodes of the canaries, at the beginning, in the middle and at the end of
// the premises, and sectors in each.
var (
	canaryOutcodes = []string{"AB10", "GU1", "ZE1"}
	canarySectors  = 10
	canaryUnits    = 4 // postcodes in a sector
)

// canaryUPRN is that of the first premises of a postcode.
func canaryUPRN(outcode, sector, unit int) geo.UPRN {
	return geo.UPRN(1 + 1000*((outcode*canarySectors+sector)*canaryUnits+unit))
}

func canaryAt(outcode, sector, unit int) geo.LatLng {
	return geo.LatLng{Lat: 51 + 2*float64(outcode) + float64(sector)/100, Lng: -2 + float64(unit)/100}
}

func canaryPostcode(outcode, sector, unit int) string {
	return fmt.Sprintf("%s %d%s", canaryOutcodes[outcode], sector, []string{"AA", "JQ", "RT", "ZZ"}[unit])
}

// canaryFile is the file of a canary, with so many premises a postcode, or one
// more.
func canaryFile(number, premises int) ([]byte, error) {
	name := fmt.Sprintf("canary-%d", number)
	b, err := index.NewBuilder([3]geo.MultiPolygon{band(54, 58), band(52, 54), band(50, 52)}, index.Options{
		AsOf: testDay - index.Day(number), CSPs: []string{name}, Tool: name, Attributions: []string{name},
	})
	if err != nil {
		return nil, err
	}
	claims := make([]index.Row, 5+number%3)
	for i := range claims {
		claims[i].Claim = b.Claim(testClaim(func(c *index.Claim) {
			c.CSP, c.AsOf, c.Technology, c.Variant, c.Info = name, testDay-index.Day(number), name, name, fmt.Sprintf("%s, claim %d", name, i)
		}))
	}
	line := uint32(1)
	for o := range canaryOutcodes {
		for s := range canarySectors {
			for u := range canaryUnits {
				p := mustPostcode(canaryPostcode(o, s, u))
				at := canaryAt(o, s, u).Location()
				b.AddPostcode(index.Entry{Postcode: p, At: at})
				for i := range premises + number%2 {
					line++
					r := claims[(i+s)%len(claims)]
					r.UPRN, r.Postcode, r.At, r.Line = canaryUPRN(o, s, u)+geo.UPRN(i), p, at, line
					r.Address = b.Address(fmt.Appendf(nil, "%d %s Way", i, name))
					b.Add([]index.Row{r})
				}
			}
		}
		at := canaryAt(o, 0, 0)
		err := b.AddArea(index.Area{
			Claim: testClaim(func(c *index.Claim) { c.CSP, c.Network, c.Info = name, index.Network4GSouth, name }),
			Shape: geo.MultiPolygon{{{
				{Lat: at.Lat - 0.2, Lng: at.Lng - 0.2},
				{Lat: at.Lat - 0.2, Lng: at.Lng + 0.2},
				{Lat: at.Lat + 0.2, Lng: at.Lng + 0.2},
				{Lat: at.Lat + 0.2, Lng: at.Lng - 0.2},
			}}},
		})
		if err != nil {
			return nil, err
		}
	}
	built, err := b.Build(context.Background())
	if err != nil {
		return nil, err
	}
	var file bytes.Buffer
	_, err = built.WriteTo(&file)
	return file.Bytes(), err
}

// canaryPaths are questions of every route, at the beginning, in the middle and
// at the end of the premises.
func canaryPaths() (paths []string) {
	for o, outcode := range canaryOutcodes {
		paths = append(paths, "/v1/outcodes/"+outcode, "/v1/outcodes/"+outcode+"?limit=3")
		for s := range canarySectors {
			for u := range canaryUnits {
				at := canaryAt(o, s, u)
				code := bytes.ReplaceAll([]byte(canaryPostcode(o, s, u)), []byte(" "), nil)
				paths = append(paths,
					"/v1/postcodes/"+string(code),
					"/v1/postcodes/"+string(code)+"?network=South", // which is not ready-made
					"/v1/premises/"+canaryUPRN(o, s, u).String(),
					fmt.Sprintf("/v1/locations?latitude=%.4f&longitude=%.4f", at.Lat, at.Lng),
				)
			}
			paths = append(paths, fmt.Sprintf("/v1/sectors/%s%%20%d", outcode, s))
		}
	}
	return append(paths, "/v1/snapshot", "/v1/postcodes/GU11A!") // the last a problem
}

// canaries are a directory of generations, each a canary of so many premises a
// postcode; the first is active.
type canaries struct {
	dir    *generations.Dir
	path   string
	files  [][]byte
	list   []generations.Generation
	number map[string]int // by ID
}

func newCanaries(t testing.TB, n, premises int) *canaries {
	t.Helper()
	c := &canaries{path: t.TempDir(), number: map[string]int{}}
	var err error
	if c.dir, err = generations.Open(c.path); err != nil {
		t.Fatal(err)
	}
	c.locked(t, func(l *generations.Lock) {
		for i := range n {
			file, err := canaryFile(i, premises)
			if err != nil {
				t.Fatal(err)
			}
			c.files = append(c.files, file)
			c.list = append(c.list, c.stage(t, l, file))
			snap, err := index.OpenBytes(file)
			if err != nil {
				t.Fatal(err)
			}
			c.number[snap.ID()] = i
		}
		if _, err := l.Activate(c.list[0].Name); err != nil {
			t.Fatal(err)
		}
	})
	return c
}

func (c *canaries) locked(t testing.TB, f func(l *generations.Lock)) {
	t.Helper()
	l, err := c.dir.Lock()
	if err != nil {
		t.Fatal(err)
	}
	f(l)
	if err := l.Unlock(); err != nil {
		t.Fatal(err)
	}
}

func (c *canaries) stage(t testing.TB, l *generations.Lock, file []byte) generations.Generation {
	t.Helper()
	write := func(w io.Writer) error {
		_, err := w.Write(file)
		return err
	}
	check := func(path string) (string, error) {
		snap, err := index.Open(path)
		if err != nil {
			return "", err
		}
		return snap.ID(), nil
	}
	g, err := l.Stage(write, check)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// open makes a server of the directory.
func (c *canaries) open(t testing.TB, o Options) *Server {
	t.Helper()
	source, err := NewDirSource(c.path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(source, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// mixes says what in an answer is not of the snapshot that it names, or "".
func (c *canaries) mixes(id string, status int, body []byte) string {
	want, ok := c.number[id]
	if !ok {
		return "there is no snapshot " + id
	}
	if !bytes.Contains(body, []byte(`"id":"`+id+`"`)) {
		return "the body names another snapshot than the header"
	}
	if !bytes.Contains(body, []byte(`"as_of":"`+(testDay-index.Day(want)).String()+`"`)) {
		return "the as-of day is another's"
	}
	found := canary.FindAllSubmatch(body, -1)
	if len(found) == 0 && status == 200 {
		return "there is no canary"
	}
	for _, m := range found {
		if n, err := strconv.Atoi(string(m[1])); err != nil || n != want {
			return fmt.Sprintf("%s in an answer of canary-%d", m[0], want)
		}
	}
	return ""
}
