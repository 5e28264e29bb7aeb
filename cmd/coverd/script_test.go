package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/rogpeppe/go-internal/testscript"

	"coverd/fixtures"
)

var update = flag.Bool("update", false, "rewrite the expected output in scripts and in README.md")

// TestMain lets this test binary be coverd, a curl that can do what the scripts
// need, and peak, when it is started by these names.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"coverd": main, "curl": curl, "peak": peak})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		Setup:               setup,
		Cmds:                scriptCommands,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Condition: func(name string) (bool, error) {
			switch name {
			case "race":
				return underRace, nil
			case "root": // whom no permission stops
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("no condition is called %s", name)
		},
	})
}

// scriptCommands are what scripts have besides testscript's own.
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"sample":   cmdSample,
	"snapshot": cmdSnapshot,
	"damage":   cmdDamage,
	"shorten":  cmdShorten,
	"repack":   cmdRepack,
	"exits":    cmdExits,
	"serve":    cmdServe,
	"stop":     cmdStop,
	"signal":   cmdSignal,
	"awaits":   cmdAwaits,
	"tour":     cmdTour,
}

func setup(env *testscript.Env) error {
	env.Values[daemonKey{}] = &daemon{}
	dir, err := filepath.Abs(root)
	env.Setenv("ROOT", dir)
	return err
}

// sample DIR puts the committed sample into a new folder.
func cmdSample(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: sample DIR")
	}
	ts.Check(os.CopyFS(ts.MkAbs(args[0]), fixtures.Sample()))
}

// snapshot FILE puts a snapshot of the sample there. It is built once.
func cmdSnapshot(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: snapshot FILE")
	}
	file, err := sampleSnapshot()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), file, 0o666))
}

// sampleSnapshot is the sample's snapshot as the command builds it.
var sampleSnapshot = sync.OnceValues(func() (file []byte, err error) {
	dir, err := os.MkdirTemp("", "coverd-sample")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.CopyFS(dir, fixtures.Sample()); err != nil {
		return nil, err
	}
	build := exec.Command("coverd", "build", "--quiet", "--manifest", filepath.Join(dir, "coverd.toml"), "--out", filepath.Join(dir, "sample.snap"))
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	return os.ReadFile(filepath.Join(dir, "sample.snap"))
})

// damage FILE COPY N makes a copy with the N-th byte from its end changed.
func cmdDamage(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: damage FILE COPY N")
	}
	file := []byte(ts.ReadFile(args[0]))
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	file[len(file)-n] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), file, 0o666))
}

// shorten FILE COPY N makes a copy without its last N bytes.
func cmdShorten(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: shorten FILE COPY N")
	}
	file := ts.ReadFile(args[0])
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(file[:len(file)-n]), 0o666))
}

// repack FILE COPY [s/OLD/NEW/]... makes a copy with texts replaced; of the
// files, those named .zst are packed.
func cmdRepack(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: repack FILE COPY [s/OLD/NEW/]...")
	}
	text := []byte(ts.ReadFile(args[0]))
	if strings.HasSuffix(args[0], ".zst") {
		z, err := zstd.NewReader(nil)
		ts.Check(err)
		defer z.Close()
		text, err = z.DecodeAll(text, nil)
		ts.Check(err)
	}
	for _, edit := range args[2:] {
		part := strings.Split(edit, "/")
		if len(part) != 4 || part[0] != "s" || !bytes.Contains(text, []byte(part[1])) {
			ts.Fatalf("%s: not s/OLD/NEW/, or OLD is not there", edit)
		}
		text = bytes.ReplaceAll(text, []byte(part[1]), []byte(part[2]))
	}
	if strings.HasSuffix(args[1], ".zst") {
		z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
		ts.Check(err)
		text = z.EncodeAll(text, nil)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), text, 0o666))
}

// exits CODE COMMAND... runs a command that must end with the exit code.
func cmdExits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// daemon is a script's coverd serve.
type (
	daemonKey struct{}
	daemon    struct {
		cmd *exec.Cmd
		log strings.Builder
		end chan struct{} // closed when the log has ended
	}
)

// serve ARGS... starts coverd serve on ports of the kernel's choice, waits
// until it listens, and sets $PUBLIC and $ADMIN to its addresses.
func cmdServe(ts *testscript.TestScript, _ bool, args []string) {
	d := ts.Value(daemonKey{}).(*daemon)
	path, err := exec.LookPath("coverd")
	ts.Check(err)
	args = append([]string{"serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, args...)
	*d = daemon{cmd: exec.Command(path, args...), end: make(chan struct{})}
	d.cmd.Dir = ts.MkAbs(".")
	stderr, err := d.cmd.StderrPipe()
	ts.Check(err)
	ts.Check(d.cmd.Start())
	ts.Defer(func() {
		if d.cmd.ProcessState == nil {
			d.cmd.Process.Kill()
			d.cmd.Wait()
		}
	})

	listening := make(chan logLine, 1)
	go func() {
		defer close(d.end)
		defer close(listening)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			fmt.Fprintln(&d.log, lines.Text())
			var line logLine
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "listening" {
				listening <- line
			}
		}
	}()
	line, ok := <-listening
	if !ok {
		ts.Fatalf("coverd serve ended before it listened:\n%s", &d.log)
	}
	ts.Setenv("PUBLIC", line.Public)
	ts.Setenv("ADMIN", line.Admin)
	ts.Setenv("TRY", line.Try)
}

// logLine is what the scripts read of the log.
type logLine struct{ Msg, Public, Admin, Try string }

// stop [SIGNAL] tells the script's coverd serve to end, TERM unless INT is
// asked for, waits for it, wants exit code 0, and gives its log as stderr.
func cmdStop(ts *testscript.TestScript, _ bool, args []string) {
	d := ts.Value(daemonKey{}).(*daemon)
	signal := syscall.SIGTERM
	if len(args) == 1 && args[0] == "INT" {
		signal = syscall.SIGINT
	}
	ts.Check(d.cmd.Process.Signal(signal))
	<-d.end
	err := d.cmd.Wait()
	fmt.Fprint(ts.Stderr(), d.log.String())
	if err != nil {
		ts.Fatalf("coverd serve: %v\n%s", err, &d.log)
	}
}

// signal HUP sends the script's coverd serve a signal that does not end it.
func cmdSignal(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 || args[0] != "HUP" {
		ts.Fatalf("usage: signal HUP")
	}
	ts.Check(ts.Value(daemonKey{}).(*daemon).cmd.Process.Signal(syscall.SIGHUP))
}

// awaits URL PATTERN asks again and again until the answer matches.
func cmdAwaits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: awaits URL PATTERN")
	}
	want, err := regexp.Compile(args[1])
	ts.Check(err)
	for range 6000 {
		ts.Check(ts.Exec("curl", "-s", args[0]))
		if want.MatchString(ts.ReadFile("stdout")) {
			return
		}
		<-time.After(10 * time.Millisecond)
	}
	ts.Fatalf("%s does not come to match %s", args[0], args[1])
}

// peak FILE COMMAND... runs a command and writes the most memory that it had
// resident, in KiB, to a file. What the kernel tells of a process starts with
// what its parent had when it started it, so the parent must be small: this is
// why tests, which may be large, do not start the command themselves.
func peak() {
	cmd := exec.Command(os.Args[2], os.Args[3:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err := cmd.Run()
	used, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		fmt.Fprintln(os.Stderr, "peak: the system does not tell")
		os.Exit(exitFailed)
	}
	if e := os.WriteFile(os.Args[1], strconv.AppendInt(nil, used.Maxrss, 10), 0o666); e != nil {
		fmt.Fprintln(os.Stderr, "peak:", e)
		os.Exit(exitFailed)
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		os.Exit(exit.ExitCode())
	}
}

// curl [-s] [-i] [-f] [-X METHOD] [-H HEADER]... [--data-binary BODY|@FILE] URL... prints the bodies as
// curl does: with -i after status and headers; with -f an error status prints nothing and is exit code 22.
func curl() {
	var headers, fail bool
	method := http.MethodGet
	var sent []string
	var data []byte
	for i := 1; i < len(os.Args); i++ {
		arg := os.Args[i]
		switch arg {
		case "-s":
		case "-X":
			i++
			method = os.Args[i]
		case "-H":
			i++
			sent = append(sent, os.Args[i])
		case "-d", "--data-binary":
			i++
			method, data = http.MethodPost, []byte(os.Args[i])
			if file, ok := strings.CutPrefix(os.Args[i], "@"); ok {
				var err error
				if data, err = os.ReadFile(file); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(26)
				}
			}
		case "-i":
			headers = true
		case "-f":
			fail = true
		default:
			if err := fetch(method, arg, sent, data, headers, fail); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(22)
			}
		}
	}
}

func fetch(method, url string, sent []string, data []byte, headers, fail bool) error {
	if !strings.Contains(url, "://") {
		url = "http://" + url
	}
	plain := http.Client{Transport: &http.Transport{DisableCompression: true}} // as curl is without --compressed
	req, err := http.NewRequestWithContext(context.Background(), method, url, bytes.NewReader(data))
	if err != nil {
		return err
	}
	for _, h := range sent {
		name, value, _ := strings.Cut(h, ":")
		req.Header.Set(name, strings.TrimSpace(value))
	}
	resp, err := plain.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if fail && resp.StatusCode >= 400 {
		return errors.New(resp.Status)
	}
	if headers {
		fmt.Println(resp.Proto, resp.Status)
		if err := resp.Header.Write(os.Stdout); err != nil {
			return err
		}
		fmt.Println()
	}
	_, err = io.Copy(os.Stdout, resp.Body)
	return err
}

// notUnderRace leaves a test of many processes, or of whole builds, to a run of the
// tests without the race detector, which sees nothing of other processes and makes
// each take ten times as long. What they run is raced in its own package.
func notUnderRace(t *testing.T) {
	t.Helper()
	if underRace {
		t.Skip("it runs without the race detector")
	}
}
