package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// tour FILE types the commands of a document's console blocks, in order, and
// compares what is printed with what stands there. JSON may be broken into
// lines in the document; identities and ages of snapshots, receipts, keys, how long
// something took, and when it was, may differ. With -update the document is rewritten instead.
//
// "make run" is taken for what the Makefile makes of it, on ports of the
// kernel's choice.
func cmdTour(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: tour FILE")
	}
	text, err := os.ReadFile(args[0])
	ts.Check(err)
	var out strings.Builder
	steps := 0
	for rest := string(text); ; {
		before, block, ok := strings.Cut(rest, "```console\n")
		out.WriteString(before)
		if !ok {
			break
		}
		block, rest, ok = strings.Cut(block, "```\n")
		if !ok {
			ts.Fatalf("%s: a block without an end", args[0])
		}
		out.WriteString("```console\n")
		for _, step := range strings.Split(block, "$ ")[1:] {
			command, want, _ := strings.Cut(step, "\n")
			got := typed(ts, command)
			if !*update && plain(got) != plain(want) {
				ts.Fatalf("$ %s\nprints\n%s\n%s says\n%s", command, got, args[0], want)
			}
			fmt.Fprintf(&out, "$ %s\n%s", command, readable(got))
			steps++
		}
		out.WriteString("```\n")
	}
	if steps < 5 {
		ts.Fatalf("%s: a tour of %d steps", args[0], steps)
	}
	if *update {
		ts.Check(os.WriteFile(args[0], []byte(out.String()), 0o644))
	}
}

// typed runs one command of the tour, by a shell, and returns what it prints: of
// one that fails what it says of that besides, and "echo $?" tells its exit code.
func typed(ts *testscript.TestScript, command string) string {
	command = strings.NewReplacer("localhost:8080", ts.Getenv("PUBLIC"), "localhost:9090", ts.Getenv("ADMIN"), "bin/coverd ", "coverd ").Replace(command)
	if command == "make run" {
		ts.Check(os.MkdirAll(ts.MkAbs("bin"), 0o777))
		ts.Check(ts.Exec("coverd", "build", "--quiet", "--manifest", "fixtures/sample/coverd.toml", "--out", "bin/sample.snap"))
		command = "coverd serve --snapshot bin/sample.snap --receipt-keys bin/receipt-keys &"
	}
	if args, ok := strings.CutPrefix(command, "coverd serve "); ok {
		if ts.Value(daemonKey{}).(*daemon).cmd != nil {
			cmdStop(ts, false, nil) // its ports are the kernel's choice, the reader's are not
		}
		cmdServe(ts, false, strings.Fields(strings.TrimSuffix(args, " &")))
		return ""
	}
	if command == "echo $?" {
		return ts.Getenv("EXIT") + "\n"
	}
	code, said := 0, ""
	if err := ts.Exec("sh", "-c", command); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("$ %s: %v", command, err)
		}
		code, said = exit.ExitCode(), ts.ReadFile("stderr")
	}
	ts.Setenv("EXIT", strconv.Itoa(code))
	return ts.ReadFile("stdout") + said
}

var (
	identity = regexp.MustCompile(`\b[0-9a-f]{12,64}\b`)
	receipt  = regexp.MustCompile(`\breceipt-[0-9a-f]{12}\b`) // one in 280 has no letter: no identity then, by its looks
	took     = regexp.MustCompile(`\bin [0-9hm.]+ ?m?s\b`)
	age      = regexp.MustCompile(`("age_days":)[0-9]+`)
	moment   = regexp.MustCompile(`\b[0-9-]{10} [0-9:]{8} UTC\b|\bknown(?: on |=)[0-9-]{10}\b`)
	signing  = regexp.MustCompile(`[A-Za-z0-9_-]{43}`)                                       // that signs receipts
	request  = regexp.MustCompile(`"(SR-[0-9A-Z]{4}-[0-9A-Z]{4}|20[0-9-]{8}T[0-9:.]{8,}Z)"`) // its reference, and when
)

// plain is output without line breaks in JSON, identities, ages and times.
func plain(output string) string {
	var b bytes.Buffer
	if json.Compact(&b, []byte(output)) == nil {
		output = b.String()
	}
	output = took.ReplaceAllString(strings.TrimSpace(output), "in …")
	output = age.ReplaceAllString(output, `$1…`)
	output = moment.ReplaceAllString(output, "…")
	output = signing.ReplaceAllString(output, "…")
	output = request.ReplaceAllString(output, `"…"`)
	output = receipt.ReplaceAllString(output, "receipt-…")
	return identity.ReplaceAllStringFunc(output, func(s string) string {
		if strings.Trim(s, "0123456789") == "" {
			return s // a UPRN
		}
		return "…"
	})
}

// TestPlainHidesWhatMayDiffer: of runs of the same commands nothing else differs.
func TestPlainHidesWhatMayDiffer(t *testing.T) {
	for _, same := range [][]string{
		{"receipt-f37ca743a988, signed", "receipt-123456789012, signed"},
		{"snapshot 957e90ae2b02", "snapshot e39bdb1f40b2"},
		{"3.2 MiB, in 2.01s", "3.2 MiB, in 234ms", "3.2 MiB, in 1m1s"},
		{"key c0QHLvcMUC_ESY-l_vlOhZgtuYM1_4pGIYSZIbliYhk", "key -0123456789_0123456789-0123456789_012345678"},
		{`{"reference":"SR-3ED7-JGHB","created":"2026-11-30T09:18:40.96Z"}`, `{"reference": "SR-0000-0000", "created": "2027-01-01T00:00:00Z"}`},
		{"2026-11-30 09:18:42 UTC, known on 2026-11-30", "2027-01-01 00:00:00 UTC, known on 2027-01-01"},
	} {
		for _, s := range same[1:] {
			if plain(s) != plain(same[0]) {
				t.Errorf("%q is %q, and %q is %q", same[0], plain(same[0]), s, plain(s))
			}
		}
	}
	if plain("990061391234") == plain("990061391235") {
		t.Error("UPRNs are not told apart")
	}
}

// readable breaks JSON into lines that fit a page; other output stays.
func readable(output string) string {
	if !json.Valid([]byte(output)) {
		return output
	}
	var b strings.Builder
	breakJSON(&b, json.RawMessage(output), "", 0)
	return b.String() + "\n"
}

const pageWidth = 120

// breakJSON writes a value at an indent, on one line if it fits with used
// columns before it, else an item a line.
func breakJSON(b *strings.Builder, v json.RawMessage, indent string, used int) {
	line := oneLine(v)
	if len(indent)+used+len(line) < pageWidth || !strings.ContainsRune("[{", rune(line[0])) {
		b.WriteString(line)
		return
	}
	open, closing := line[:1], map[byte]string{'[': "]", '{': "}"}[line[0]]
	b.WriteString(open)
	d := json.NewDecoder(bytes.NewReader(v))
	if _, err := d.Token(); err != nil {
		panic(err) // it was valid
	}
	for first := true; d.More(); first = false {
		if !first {
			b.WriteByte(',')
		}
		label := ""
		if open == "{" {
			name, _ := d.Token()
			label = fmt.Sprintf("%q: ", name)
		}
		var item json.RawMessage
		if err := d.Decode(&item); err != nil {
			panic(err) // it was valid
		}
		b.WriteString("\n" + indent + "  " + label)
		breakJSON(b, item, indent+"  ", len(label))
	}
	b.WriteString("\n" + indent + closing)
}

// oneLine writes a value with a space after each comma and colon.
func oneLine(v json.RawMessage) string {
	var compact bytes.Buffer
	if err := json.Compact(&compact, v); err != nil {
		panic(err) // it was valid
	}
	var spaced strings.Builder
	inString, escaped := false, false
	for _, c := range compact.String() {
		spaced.WriteRune(c)
		switch {
		case escaped:
			escaped = false
		case c == '\\':
			escaped = true
		case c == '"':
			inString = !inString
		case !inString && (c == ',' || c == ':'):
			spaced.WriteByte(' ')
		}
	}
	return spaced.String()
}
