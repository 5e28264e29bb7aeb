package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"coverd/geo"
	"coverd/index"
	"coverd/server/api"
)

// nightOf builds a country of forty premises in two outcodes as it is on a
// night: some of them change every night.
func nightOf(night int, previous *index.Snapshot) (*index.Snapshot, error) {
	b, err := index.NewBuilder([3]geo.MultiPolygon{band(54, 58), band(52, 54), band(50, 52)}, index.Options{
		AsOf: testDay + index.Day(night), CSPs: []string{"Telefonica"}, Tool: "test", Previous: previous,
	})
	if err != nil {
		return nil, err
	}
	for _, p := range []string{"GU1 1AA", "GU1 1AB", "GU2 4AA"} {
		b.AddPostcode(index.Entry{Postcode: mustPostcode(p), At: at(51.24, -0.58)})
	}
	for i := range 40 {
		if i == 30+night {
			continue // one is lost, and that of the night before is back
		}
		p := []string{"GU1 1AA", "GU1 1AB", "GU2 4AA", ""}[i%4]
		row := index.Row{UPRN: geo.UPRN(990000000000 + i), At: at(51.24+float64(i)/1e4, -0.58), Address: b.Address(fmt.Append(nil, i)), Line: uint32(i + 2)}
		if p != "" {
			row.Postcode = mustPostcode(p)
		}
		row.Claim = b.Claim(testClaim(func(c *index.Claim) {
			c.AsOf = testDay + index.Day(night)
			if (i+night)%3 == 0 {
				c.Availability, c.Anticipated = index.AvailabilityFalse, testDay+20
			}
			if i%7 == night {
				c.Variant = "SKU2"
			}
		}))
		b.Add([]index.Row{row})
	}
	return frozen(b)
}

// nightsInARow are three of them, each built on the one before.
func nightsInARow(t *testing.T) (list []*index.Snapshot) {
	t.Helper()
	var last *index.Snapshot
	for night := range 3 {
		snap, err := nightOf(night, last)
		if err != nil {
			t.Fatal(err)
		}
		list, last = append(list, snap), snap
	}
	return list
}

// fetch asks a server over the network.
func fetch(t *testing.T, base, path string, query ...string) (status int, body []byte) {
	t.Helper()
	values := url.Values{}
	for i := 0; i < len(query); i += 2 {
		if query[i+1] != "" {
			values.Set(query[i], query[i+1])
		}
	}
	r, err := http.Get(base + path + "?" + values.Encode())
	if err != nil {
		t.Fatal(err)
	}
	body, err = io.ReadAll(r.Body)
	if err = errors.Join(err, r.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, body
}

// page asks for one page of changes.
func page(t *testing.T, base string, query ...string) (a api.ChangesAnswer) {
	t.Helper()
	status, body := fetch(t, base, "/v1/changes", query...)
	if err := json.Unmarshal(body, &a); err != nil || status != 200 {
		t.Fatalf("%v: status %d, %v: %s", query, status, err, body)
	}
	return a
}

// pages asks for all of them, one after another.
func pages(t *testing.T, base, since, outcode, after string, limit int) (list []api.Change) {
	t.Helper()
	for {
		a := page(t, base, "since", since, "outcode", outcode, "after", after, "limit", fmt.Sprint(limit))
		if list = append(list, a.Changes...); len(a.Changes) > limit || a.Next != "" && len(a.Changes) < limit {
			t.Fatalf("a page of %d, next %q", len(a.Changes), a.Next)
		}
		if after = string(a.Next); after == "" {
			return list
		}
	}
}

func wire(old, now *index.Snapshot, outcode string) (list []api.Change) {
	for c := range index.Diff(old, now) {
		if outcode == "" || c.Postcode.Outcode().String() == outcode {
			list = append(list, ChangeOf(&c))
		}
	}
	return list
}

func TestChangesArePagedToTheEnd(t *testing.T) {
	nights := nightsInARow(t)
	s, err := New(nights[2], Options{})
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + serve(t, s).public
	last := wire(nights[1], nights[2], "")
	both := append(wire(nights[0], nights[1], ""), last...)
	if len(last) < 20 {
		t.Fatalf("only %d changes", len(last))
	}
	for _, limit := range []int{1, 2, 3, 7, len(both) - 1, len(both), 1000} {
		if got := pages(t, base, nights[1].ID(), "", "", limit); !slices.Equal(got, last) {
			t.Errorf("a night by %d: %d changes, want %d", limit, len(got), len(last))
		}
		if got := pages(t, base, nights[0].ID()[:12], "", "", limit); !slices.Equal(got, both) {
			t.Errorf("two nights by %d: %d changes, want %d", limit, len(got), len(both))
		}
		want := append(wire(nights[0], nights[1], "GU1"), wire(nights[1], nights[2], "GU1")...)
		if got := pages(t, base, nights[0].ID(), "gu1", "", limit); len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("an outcode by %d: %d changes, want %d", limit, len(got), len(want))
		}
	}
	a := page(t, base, "since", strings.ToUpper(nights[1].ID()), "limit", "2", "outcode", "GU2")
	if a.Since.ID != nights[1].ID() || a.Since.AsOf.V != testDay+1 || a.Snapshot.ID != nights[2].ID() || a.Query.Outcode.V.String() != "GU2" || a.Query.Limit != 2 || a.Snapshot.AgeDays == 0 {
		t.Errorf("%+v", a)
	}
	if a := page(t, base, "since", nights[2].ID()); len(a.Changes) > 0 || a.Changes == nil || a.Next != "" || a.Since.ID != nights[2].ID() {
		t.Errorf("since itself: %+v", a)
	}
}

// TestChangesGoOnAfterASwap: a cursor of the night before leads on into the new
// one; and after a rollback nobody is told less than everything.
func TestChangesGoOnAfterASwap(t *testing.T) {
	nights := nightsInARow(t)
	s, err := New(nights[1], Options{})
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + serve(t, s).public
	first := page(t, base, "since", nights[0].ID(), "limit", "5")
	s.snap.Store(s.hold(nights[2], Offer{}))
	rest := pages(t, base, nights[0].ID(), "", string(first.Next), 4)
	want := slices.Concat(wire(nights[0], nights[1], ""), wire(nights[1], nights[2], ""))
	if got := slices.Concat(first.Changes, rest); !slices.Equal(got, want) {
		t.Errorf("%d changes, want %d", len(got), len(want))
	}

	s.snap.Store(s.hold(nights[0], Offer{}))
	for what, query := range map[string][]string{
		"the snapshot taken back": {"since", nights[2].ID()},
		"one never seen":          {"since", "0123456789ab"},
	} {
		p := gone(t, base, query...)
		if !strings.Contains(p.Hint, "coverd export") || !strings.Contains(p.Hint, "taken back") || !strings.Contains(p.Hint, "no changes before it") {
			t.Errorf("%s: %+v", what, p)
		}
	}
	s.snap.Store(s.hold(nights[2], Offer{}))
	p := gone(t, base, "since", nights[1].ID(), "after", string(first.Next)) // of the night before
	if !strings.Contains(p.Hint, "oldest since that is known is "+nights[0].ID()) {
		t.Errorf("%+v", p)
	}
}

func gone(t *testing.T, base string, query ...string) (p api.Problem) {
	t.Helper()
	status, body := fetch(t, base, "/v1/changes", query...)
	if err := json.Unmarshal(body, &p); err != nil || status != 410 || p.Code != api.ChangesTooOld {
		t.Errorf("%v: status %d, %v: %s", query, status, err, body)
	}
	return p
}

func TestChangesAskedForBadly(t *testing.T) {
	s := testServer(t, Options{})
	id := s.Snapshot().ID()
	for _, c := range []struct{ uri, code, parameter string }{
		{"/v1/changes", api.MalformedSnapshot, "since"},
		{"/v1/changes?since=" + id[:11], api.MalformedSnapshot, "since"},
		{"/v1/changes?since=" + id + "0", api.MalformedSnapshot, "since"},
		{"/v1/changes?since=yesterday", api.MalformedSnapshot, "since"},
		{"/v1/changes?since=" + id + "&outcode=GU", api.MalformedOutcode, "outcode"},
		{"/v1/changes?since=" + id + "&after=GU1", api.MalformedParameter, "after"},
		{"/v1/changes?since=" + id + "&limit=1001", api.MalformedParameter, "limit"},
		{"/v1/changes?since=" + id + "&on=2026-12-01", api.UnknownParameter, "on"},
		{"/v1/changes?since=0123456789abcdef", api.ChangesTooOld, "since"},
	} {
		if p := problem(t, s, c.uri, c.code); p.Parameter != c.parameter || p.Hint == "" {
			t.Errorf("GET %s: %+v", c.uri, p)
		}
	}
}
