package loader

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// short is a header for tests of identity.
const short = "uprn,postcode,address_identifier,latitude,longitude,network_region,coverage_availability,wan_variant\n"

// Each case is of one or two CSPs; the premises are as [all] lists them.
func TestIdentity(t *testing.T) {
	for _, tt := range []struct {
		name      string
		telefo    string
		vodafone  string
		want      []string
		merged    int64
		conflicts int64
	}{
		// (1) Equal UPRN.
		{"equal UPRN", "1,,,,,South,true,\n", "1,,,,,4G South,true,\n", []string{"1: South/Telefonica+ 4G South/Vodafone+"}, 0, 0},
		{"zero-padded UPRN", "000000000001,,,,,South,true,\n", "1,,,,,4G South,true,\n", []string{"1: South/Telefonica+ 4G South/Vodafone+"}, 0, 0},
		{"other UPRN, all else equal", "1,GU1 1AA,12,51,-1,South,true,\n2,GU1 1AA,12,51,-1,South,true,\n", "", []string{
			`1 GU1 1AA "12" 51.000000,-1.000000: South/Telefonica+`, `2 GU1 1AA "12" 51.000000,-1.000000: South/Telefonica+`,
		}, 0, 0},

		// (2) Without UPRN: by postcode and address.
		{"joins the only one", "1,GU1 1AA,Flat 2,,,South,true,\n", ",GU1 1AA,Flat 2,,,4G South,true,\n", []string{`1 GU1 1AA "Flat 2": South/Telefonica+ 4G South/Vodafone+`}, 0, 0},
		{"case and spacing aside", "1,GU1 1AA,Flat 2,,,South,true,\n", ",gu11aa,  FLAT   2 ,,,4G South,true,\n", []string{`1 GU1 1AA "Flat 2": South/Telefonica+ 4G South/Vodafone+`}, 0, 0},
		{"but nothing else aside", "1,GU1 1AA,Flat 2,,,South,true,\n", `,GU1 1AA,"Flat, 2",,,4G South,true,` + "\n", []string{
			`GU1 1AA "Flat, 2": 4G South/Vodafone+`, `1 GU1 1AA "Flat 2": South/Telefonica+`,
		}, 0, 0},
		{"another postcode", "1,GU1 1AA,2,,,South,true,\n", ",GU1 1AB,2,,,4G South,true,\n", []string{`1 GU1 1AA "2": South/Telefonica+`, `GU1 1AB "2": 4G South/Vodafone+`}, 0, 0},
		{"joins none of two", "1,GU1 1AA,2,,,South,true,\n2,GU1 1AA,2,,,South,false,\n", ",GU1 1AA,2,,,4G South,true,\n", []string{
			`GU1 1AA "2": 4G South/Vodafone+`, `1 GU1 1AA "2": South/Telefonica+`, `2 GU1 1AA "2": South/Telefonica-`,
		}, 0, 0},
		{"shares one of its own", ",GU1 1AA,Unit 7,,,South,true,\n", ",GU1 1AA,UNIT 7,,,4G South,true,\n", []string{`GU1 1AA "Unit 7": South/Telefonica+ 4G South/Vodafone+`}, 0, 0},
		{"also with other coordinates", ",GU1 1AA,7,51,-1,South,true,\n", ",GU1 1AA,7,51.2,-1.1,4G South,true,\n", []string{`GU1 1AA "7" 51.000000,-1.000000: South/Telefonica+ 4G South/Vodafone+`}, 0, 0},
		{"and the first CSP's rows join as well", ",GU1 1AA,7,,,South,true,\n", "5,GU1 1AA,7,,,4G South,true,\n", []string{`5 GU1 1AA "7": South/Telefonica+ 4G South/Vodafone+`}, 0, 0},

		// (3) With neither: by coordinates.
		{"equal coordinates", ",,,51.2345671,-1,South,true,\n", ",,,51.2345674,-1.0000004,4G South,true,\n", []string{"51.234567,-1.000000: South/Telefonica+ 4G South/Vodafone+"}, 0, 0},
		{"a millionth of a degree apart", ",,,51.234567,-1,South,true,\n", ",,,51.234568,-1,4G South,true,\n", []string{"51.234567,-1.000000: South/Telefonica+", "51.234568,-1.000000: 4G South/Vodafone+"}, 0, 0},
		{"an address without postcode is no identity", ",,Plot 16,51,-1,South,true,\n", ",,Plot 17,51,-1,4G South,true,\n", []string{`"Plot 16" 51.000000,-1.000000: South/Telefonica+ 4G South/Vodafone+`}, 0, 0},
		{"nor is a postcode without address", ",GU1 1AA,,51,-1,South,true,\n", ",GU1 1AB,,51,-1,4G South,true,\n", []string{"GU1 1AA 51.000000,-1.000000: South/Telefonica+ 4G South/Vodafone+"}, 0, 0},
		{"coordinates never join a UPRN", "1,,,51,-1,South,true,\n", ",,,51,-1,4G South,true,\n", []string{"51.000000,-1.000000: 4G South/Vodafone+", "1 51.000000,-1.000000: South/Telefonica+"}, 0, 0},

		// Disagreement: the CSP that the manifest has first, for each of the three.
		{"location, address and postcode", "1,GU1 1AA,3,51,-1,South,true,\n", "1,GU1 1AB,3 (rear),51.1,-1.1,4G South,true,\n", []string{`1 GU1 1AA "3" 51.000000,-1.000000: South/Telefonica+ 4G South/Vodafone+`}, 0, 0},
		{"what the first leaves out the next fills in", "1,GU1 1AA,,,,South,true,\n", "1,GU1 1AB,3 (rear),51.1,-1.1,4G South,true,\n", []string{`1 GU1 1AA "3 (rear)" 51.100000,-1.100000: South/Telefonica+ 4G South/Vodafone+`}, 0, 0},
		{"within a CSP the bytes", "1,,b,51.1,-1,South,true,\n1,,a,51,-1.1,4G South,true,\n", "", []string{`1 "a" 51.000000,-1.100000: South/Telefonica+ 4G South/Telefonica+`}, 0, 0},

		// Conflict and merge.
		{"identical rows merge", "1,,,,,South,true,A\n1,,,,,South,true,A\n1,,,,,South,true,A\n", "", []string{"1: South/Telefonica+/A"}, 2, 0},
		{"also where only the place differs", "1,GU1 1AA,2,51,-1,South,true,A\n1,,,51.1,-1,South,true,A\n", "", []string{`1 GU1 1AA "2" 51.000000,-1.000000: South/Telefonica+/A`}, 1, 0},
		{"different claims of one CSP", "1,,,,,South,true,\n1,,,,,South,false,\n1,,,,,4G South,true,\n", "", []string{"1: 4G South/Telefonica+ !"}, 0, 1},
		{"different in the variant alone", "1,,,,,South,true,A\n1,,,,,South,true,B\n", "", []string{"1: !"}, 0, 1},
		{"two against one", "1,,,,,South,true,A\n1,,,,,South,true,A\n1,,,,,South,true,B\n", "", []string{"1: !"}, 0, 1},
		{"on two network regions", "1,,,,,South,true,A\n1,,,,,South,true,B\n1,,,,,North,true,A\n1,,,,,North,true,B\n", "", []string{"1: !"}, 0, 2},
		{"of two CSPs is none", "1,,,,,South,true,\n", "1,,,,,South,false,\n", []string{"1: South/Telefonica+ South/Vodafone-"}, 0, 0},
		{"of one CSP, and another's stands", "1,,,,,South,true,A\n1,,,,,South,true,B\n", "1,,,,,South,false,\n", []string{"1: South/Vodafone- !"}, 0, 1},
		{"between a row with UPRN and one that joins it", "1,GU1 1AA,2,,,South,true,\n,GU1 1AA,2,,,South,false,\n", "", []string{`1 GU1 1AA "2": !`}, 0, 1},
		{"by coordinates", ",,,51,-1,South,true,\n,,,51,-1,South,false,\n", "", []string{"51.000000,-1.000000: !"}, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pairs := []string{"Telefonica", short + tt.telefo}
			if tt.vodafone != "" {
				pairs = append(pairs, "Vodafone", short+tt.vodafone)
			}
			s, sum := premisesWorld(pairs...).build(t)
			got := all(s)
			slices.Sort(got)
			slices.Sort(tt.want)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("premises (-want +got):\n%s", diff)
			}
			if sum.Merged != tt.merged || sum.Conflicts != tt.conflicts {
				t.Errorf("%d merged, %d conflicts, want %d, %d", sum.Merged, sum.Conflicts, tt.merged, tt.conflicts)
			}
			if want := int64(len(got)); sum.Premises != want {
				t.Errorf("%d premises, want %d", sum.Premises, want)
			}
		})
	}
}

// Of one CSP's extracts the later as-of decides, wherever it stands.
func TestLaterAsOfDecides(t *testing.T) {
	older, newer := "1,GU1 1AA,a,51,-1,South,true,\n", "1,GU1 1AB,b,51.1,-1,South,true,\n"
	want := []string{`1 GU1 1AB "b" 51.100000,-1.000000: South/Telefonica+`}
	for _, w := range []world{
		premisesWorld("Telefonica\nas_of = 2026-11-20", short+older, "Telefonica", short+newer),
		premisesWorld("Telefonica", short+newer, "Telefonica\nas_of = 2026-11-20", short+older),
	} {
		s, sum := w.build(t)
		if diff := cmp.Diff(want, all(s)); diff != "" || sum.Merged != 1 {
			t.Errorf("%d merged (-want +got):\n%s", sum.Merged, diff)
		}
		if c, _ := byUPRN(t, s, 1).Claims().At(0); c.AsOf != day(t, "2026-11-22") {
			t.Errorf("of equal claims that of %v is kept", c.AsOf)
		}
	}
	// But an earlier CSP of the manifest goes before a later as-of.
	s, _ := premisesWorld("Vodafone\nas_of = 2026-11-20", short+strings.Replace(older, "South", "4G South", 1), "Telefonica", short+newer).build(t)
	if diff := cmp.Diff([]string{`1 GU1 1AA "a" 51.000000,-1.000000: South/Telefonica+ 4G South/Vodafone+`}, all(s)); diff != "" {
		t.Errorf("premises (-want +got):\n%s", diff)
	}
}

// Both rows of a conflict are quarantined, each with the other's place, and
// counted as rejected.
func TestConflictRows(t *testing.T) {
	w := premisesWorld("Telefonica", short+
		"1,,,,,South,true,\n"+
		"2,,,,,South,true,\"a\nb\"\n"+ // over two lines: rejected by itself
		"3,,,,,South,true,\n"+
		"1,,,,,South,false,\n")
	w = w.with("2.csv", short+"\r\n3,,,,,South,true,Z\r\n3,,,,,4G South,true,\r\n")
	w["coverd.toml"] = strings.Replace(w["coverd.toml"], "1.csv", "*.csv", 1)
	_, sum := w.build(t)
	want := []string{
		"1.csv:3: wan_variant: control", "1.csv:2: : conflict", "1.csv:5: : conflict", "1.csv:6: : conflict", "2.csv:3: : conflict",
	}
	if diff := cmp.Diff(want, rejects(sum)); diff != "" {
		t.Errorf("rejects (-want +got):\n%s", diff)
	}
	s := sum.Sources[1]
	if s.Rows != 6 || s.Accepted != 1 || s.Rejected != 5 || sum.Conflicts != 2 {
		t.Errorf("counts %+v", s)
	}
	for i, want := range map[int]string{
		1: "conflict with 1.csv:6: different claims of one CSP for one premises on South; neither is taken",
		4: "conflict with 1.csv:5: different claims of one CSP for one premises on South; neither is taken",
	} {
		if got := s.Rejects[i].Reason; got != want {
			t.Errorf("reason %q, want %q", got, want)
		}
	}
	if got := s.Rejects[4].Row; got != "3,,,,,South,true,Z" {
		t.Errorf("row %q", got)
	}
}

func TestConflictOfThree(t *testing.T) {
	_, sum := premisesWorld("Telefonica", short+"1,,,,,South,true,A\n1,,,,,South,true,B\n1,,,,,South,true,B\n").build(t)
	var reasons []string
	for _, r := range sum.Sources[1].Rejects {
		reasons = append(reasons, r.Reason)
	}
	const rest = ": different claims of one CSP for one premises on South; neither is taken (nor 1 more)"
	if diff := cmp.Diff([]string{"conflict with 1.csv:3" + rest, "conflict with 1.csv:2" + rest, "conflict with 1.csv:2" + rest}, reasons); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{noneAccepted}, sum.Sources[1].Warnings); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

// Whatever the order of the rows, the same premises, conflicts and counts.
func TestRowOrderDoesNotMatter(t *testing.T) {
	rows := strings.SplitAfter(strings.TrimSuffix(
		"1,GU1 1AA,b,51.1,-1,South,true,\n1,GU1 1AB,a,51,-1.1,4G South,true,\n1,GU1 1AA,c,51,-1,North,true,\n"+
			",GU1 1AA,B,51.2,-1,4G North,true,\n,GU1 1AA,z,51.2,-1,South,true,\n,gu1 1aa,Z,51.3,-1,4G South,true,\n"+
			"2,GU1 1AA,q,,,South,true,\n3,GU1 1AA,Q,,,South,true,\n,GU1 1AA,q,,,4G South,true,\n"+
			"4,,,,,South,true,A\n4,,,,,South,true,B\n,,,51,-1,South,true,\n,,x,51,-1,4G South,true,\n,,y,51,-1,4G South,true,\n", "\n"), "\n")
	rows[len(rows)-1] += "\n"
	rng := rand.New(rand.NewPCG(1, 2))
	var first []string
	for range 20 {
		s, sum := premisesWorld("Telefonica", short+strings.Join(rows, "")).build(t)
		got := append(all(s), s.Info().ContentDigest)
		if first == nil {
			first = got
		}
		if diff := cmp.Diff(first, got); diff != "" || sum.Conflicts != 1 || sum.Rejected != 2 || sum.Merged != 1 {
			t.Fatalf("%+v (-want +got):\n%s", sum, diff)
		}
		rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	}
}
