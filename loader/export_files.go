package loader

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"coverd/geo"
	"coverd/index"
)

// create opens a file of the export.
func (e *exporter) create(name string) (*outFile, error) {
	f, err := createFile(filepath.Join(e.dir, name))
	if err != nil {
		return nil, err
	}
	e.made = append(e.made, index.File{Path: name})
	return f, nil
}

// writeWhole writes a small file.
func (e *exporter) writeWhole(name string, text []byte) error {
	f, err := e.create(name)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	_, end := f.finish()
	return errors.Join(err, end)
}

// exportChunk is a stretch of what is written: text for each of several files,
// packed.
type exportChunk struct {
	upTo  int
	texts [][]byte
	rows  []int64
	err   error
}

// stretches walks 0 to n in steps.
func stretches(n, step int) func(yield func([2]int) bool) {
	return func(yield func([2]int) bool) {
		for from := 0; from < n; from += step {
			if !yield([2]int{from, min(n, from+step)}) {
				return
			}
		}
	}
}

// write writes what work appends for stretches of 0 to n into files, in order.
// heads are the texts in front, if any; work is told its worker.
func (e *exporter) write(
	stage string, names, heads []string, n, step int, work func(worker, from, to int, texts [][]byte, rows []int64) error,
) (done []index.File, rows []int64, err error) {
	files := make([]*outFile, 0, len(names))
	rows = make([]int64, len(names))
	err = e.fill(&files, names, heads, func(packers []*packer) error {
		scratch := make([][][]byte, e.o.Workers)
		for c := range inOrder(e.o.Workers, stretches(n, step), func(w int, span [2]int) exportChunk {
			if scratch[w] == nil {
				scratch[w] = make([][]byte, len(names))
			}
			return e.chunk(packers[w], scratch[w], span, func(texts [][]byte, rows []int64) error {
				return work(w, span[0], span[1], texts, rows)
			})
		}) {
			err := c.err
			for i, text := range c.texts {
				if err == nil && len(text) > 0 {
					_, err = files[i].Write(text)
				}
				rows[i] += c.rows[i]
			}
			if err != nil {
				return err
			}
			e.tell(stage, c.upTo, n)
		}
		return nil
	})
	for i, f := range files {
		d, end := f.finish()
		d.Path = names[i]
		done, err = append(done, d), errors.Join(err, end)
	}
	return done, rows, err
}

// fill creates files with their heads, and has the rest written.
func (e *exporter) fill(files *[]*outFile, names, heads []string, rest func([]*packer) error) (err error) {
	packers := make([]*packer, e.o.Workers)
	for i := range packers {
		if packers[i], err = newPacker(e.o.Packing); err != nil {
			return err
		}
	}
	for i, name := range names {
		f, err := e.create(name)
		if err != nil {
			return err
		}
		*files = append(*files, f)
		head := ""
		if heads != nil {
			head = heads[i]
		}
		b, err := packers[0].append(nil, []byte(head)) // so that a file of nothing is a packed one too
		if err == nil {
			_, err = f.Write(b)
		}
		if err != nil {
			return err
		}
	}
	return rest(packers)
}

// chunk packs what work appends for a stretch.
func (e *exporter) chunk(z *packer, texts [][]byte, span [2]int, work func(texts [][]byte, rows []int64) error) exportChunk {
	for i := range texts {
		texts[i] = texts[i][:0]
	}
	c := exportChunk{upTo: span[1], texts: make([][]byte, len(texts)), rows: make([]int64, len(texts))}
	if c.err = e.ctx.Err(); c.err == nil {
		c.err = work(texts, c.rows)
	}
	for i := range texts {
		if c.err == nil && len(texts[i]) > 0 {
			c.texts[i], c.err = z.append(nil, texts[i])
		}
	}
	return c
}

// areas writes the areas of one extract, one feature a line.
func (e *exporter) areas(x *exportExtract) error {
	done, rows, err := e.write("areas", []string{x.file.Path}, nil, x.to-x.from, 16, func(_, from, to int, texts [][]byte, rows []int64) error {
		for i := x.from + from; i < x.from+to; i++ {
			a := e.s.Area(i)
			b := texts[0]
			b = append(b, `{"type":"Feature","properties":{`...)
			b = appendClaimProperties(b, &a.Claim)
			b = appendGeometry(append(b, `},"geometry":`...), a.Shape)
			texts[0] = append(b, "}\n"...)
			rows[0]++
		}
		return nil
	})
	if err == nil {
		x.file, x.rows = done[0], rows[0]
	}
	return err
}

// appendClaimProperties appends what a coverage-area extract says of an area.
func appendClaimProperties(b []byte, c *index.Claim) []byte {
	b = appendJSONText(append(b, `"network_region":`...), c.Network.String())
	b = append(b, `,"coverage_availability":`...)
	switch c.Availability {
	case index.AvailabilityTrue:
		b = append(b, "true"...)
	case index.AvailabilityFalse:
		b = append(b, "false"...)
	default:
		b = append(b, "null"...)
	}
	for i, text := range claimTexts(c) {
		if text != "" {
			b = append(append(append(b, `,"`...), columnNames[colAnticipated+column(i)]...), `":`...)
			b = appendJSONText(b, text)
		}
	}
	return b
}

// claimTexts are the cells of a claim from the anticipated date on.
func claimTexts(c *index.Claim) [numColumns - colAnticipated]string {
	return [...]string{c.Anticipated.String(), c.End.String(), c.Technology, c.Variant, c.Likelihood.String(), c.Auxiliary, c.Info}
}

// appendGeometry appends a MultiPolygon, whose numbers read back as they are.
func appendGeometry(b []byte, shape geo.MultiPolygon) []byte {
	b = append(b, `{"type":"MultiPolygon","coordinates":[`...)
	for i, polygon := range shape {
		b = append(comma(b, i), '[')
		for j, ring := range polygon {
			b = append(comma(b, j), '[')
			for k := range len(ring) + 1 {
				p := ring[k%len(ring)]
				b = append(comma(b, k), '[')
				b = strconv.AppendFloat(b, p.Lng, 'f', -1, 64)
				b = strconv.AppendFloat(append(b, ','), p.Lat, 'f', -1, 64)
				b = append(b, ']')
			}
			b = append(b, ']')
		}
		b = append(b, ']')
	}
	return append(b, "]}"...)
}

// comma appends one before all items but the first.
func comma(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return b
}

const registerHeader = "postcode,latitude,longitude,introduced,terminated,terminated_after,terminated_by\n"

// register writes the register; nil where there is none.
func (e *exporter) register() (*index.File, error) {
	none := true
	for u := range e.s.AllPostcodes() {
		if u.Status() != index.NotInRegister {
			none = false
			break
		}
	}
	if none {
		return nil, nil
	}
	name := "register.csv" + e.o.Packing.suffix()
	done, _, err := e.write("register", []string{name}, []string{registerHeader}, int(e.s.Info().Postcodes), 1<<14,
		func(_, from, to int, texts [][]byte, _ []int64) error {
			for i := from; i < to; i++ {
				if u := e.s.PostcodeAt(i); u.Status() != index.NotInRegister {
					texts[0] = append(appendRegisterRow(texts[0], u.Entry()), '\n')
				}
			}
			return nil
		})
	if err != nil {
		return nil, err
	}
	return &done[0], nil
}

func appendRegisterRow(b []byte, r index.Entry) []byte {
	b = append(r.Postcode.AppendTo(b), ',')
	b = append(appendLocation(b, r.At), ',')
	b = append(r.Introduced.AppendTo(b), ',')
	b = append(r.Terminated.AppendTo(b), ',')
	b = append(r.TerminatedAfter.AppendTo(b), ',')
	return r.TerminatedBy.AppendTo(b)
}

// appendLocation appends latitude and longitude as two cells, with all the
// decimals that are kept.
func appendLocation(b []byte, l geo.Location) []byte {
	if !l.IsValid() {
		return append(b, ',')
	}
	return appendMillionths(append(appendMillionths(b, l.Lat), ','), l.Lng)
}

// appendMillionths appends n millionths.
func appendMillionths(b []byte, n int32) []byte {
	v := int64(n)
	if v < 0 {
		b, v = append(b, '-'), -v
	}
	b = append(strconv.AppendInt(b, v/1e6, 10), '.')
	for unit := int64(1e5); unit > 0; unit /= 10 {
		b = append(b, byte('0'+v/unit%10))
	}
	return b
}

// regions writes the boundaries.
func (e *exporter) regions() (index.File, error) {
	name := "regions.geojson" + e.o.Packing.suffix()
	done, _, err := e.write("regions", []string{name}, nil, 1, 1, func(_, _, _ int, texts [][]byte, _ []int64) error {
		b := texts[0]
		b = append(b, `{"type":"FeatureCollection","features":[`...)
		for i, r := range geo.Regions {
			b = append(comma(b, i), "\n"...)
			b = append(b, `{"type":"Feature","properties":{"region":"`+r.String()+`"},"geometry":`...)
			b = append(appendGeometry(b, e.s.RegionShape(r)), '}')
		}
		texts[0] = append(b, "\n]}\n"...)
		return nil
	})
	if err != nil {
		return index.File{}, err
	}
	return done[0], nil
}

// exportManifest writes the manifest. It says nothing of what differs between
// snapshots of the same content.
func exportManifest(s *index.Snapshot, plan []*exportExtract, register *index.File, regions index.File) []byte {
	var b strings.Builder
	info := s.Info()
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# Written by coverd export. coverd build makes a snapshot of the same content of it:\n# content_digest %s\n", info.ContentDigest)
	line("as_of = %v", info.AsOf)
	if len(info.Prefer) > 0 {
		names := make([]string, len(info.Prefer))
		for i, n := range info.Prefer {
			names[i] = tomlText(n.String())
		}
		line("prefer = [%s]", strings.Join(names, ", "))
	}
	if info.CountsAsWAN {
		line("counts_as_wan = true")
	}
	if len(info.Attributions) > 0 {
		line("attributions = [")
		for _, a := range info.Attributions {
			line("  %s,", tomlText(a))
		}
		line("]")
	}
	line("\n[regions]\npath = %s", tomlText(regions.Path))
	if info.Indicative {
		line("indicative = true")
	}
	if register != nil {
		line("\n[[register]]\npath = %s\nformat = %q", tomlText(register.Path), FormatCoverd)
	}
	// What was let into the snapshot is let in again; without a snapshot before it,
	// no other gate judges shares.
	line("\n[gates]\ndistance = 1\noverlap = 1")
	for _, x := range plan {
		line("\n[[extract]]\ncsp = %s\nkind = %q\npath = %s\nas_of = %v", tomlText(x.csp), x.kind, tomlText(x.file.Path), x.asOf)
		if x.sequence > 0 {
			line("sequence = %d", x.sequence)
		}
		line("rows = %d\nsha256 = %q", x.rows, x.file.SHA256)
	}
	return []byte(b.String())
}

// tomlText quotes a text for TOML.
func tomlText(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
