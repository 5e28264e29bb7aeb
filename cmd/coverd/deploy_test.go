package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// deployed are the files that run coverd on a machine.
const (
	deployed  = root + "/deploy"
	installed = "/usr/local/bin/coverd" // where they have the program
)

func deployFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(deployed, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// coverdLine finds commands of the program: in units and cron by its path, in
// the README by its name.
var (
	coverdLine = regexp.MustCompile(`(?m)(?:^|[ /])coverd ((?:build|serve|snapshots [a-z]+)[^\n;|&"]*)`)
	flagName   = regexp.MustCompile(`(?:^|\s)(--[a-z-]+)`)
	twinName   = regexp.MustCompile(`(?m)^#? ?(COVERD_[A-Z_]+)=`)
)

// helpOf is what a verb says of itself, by the real program.
func helpOf(t *testing.T, verb ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "coverd", append(verb, "--help")...).CombinedOutput()
	if err != nil {
		t.Fatalf("coverd %v --help: %v\n%s", verb, err, out)
	}
	return string(out)
}

// TestDeployedCommandsExist: the verbs and flags that units, the cron line and
// the README use are the program's, and so are the variables of the settings.
func TestDeployedCommandsExist(t *testing.T) {
	if !strings.Contains(helpOf(t, "serve"), "--snapshots ") {
		t.Skip("this program serves no directory of snapshots")
	}
	for _, name := range []string{"coverd.service", "coverd-build.service", "coverd.cron", "README.md"} {
		commands := coverdLine.FindAllStringSubmatch(deployFile(t, name), -1)
		if len(commands) == 0 {
			t.Errorf("%s runs nothing", name)
		}
		for _, c := range commands {
			words := strings.Fields(c[1])
			verb := words[:1]
			if verb[0] == "snapshots" {
				verb = words[:2]
			}
			help := helpOf(t, verb...)
			for _, f := range flagName.FindAllStringSubmatch(c[1], -1) {
				if !strings.Contains(help, f[1]+" ") {
					t.Errorf("%s: coverd %s has no %s", name, strings.Join(verb, " "), f[1])
				}
			}
		}
	}
	for _, v := range twinName.FindAllStringSubmatch(deployFile(t, "coverd.env"), -1) {
		if !strings.Contains(helpOf(t, "serve"), "["+v[1]+"]") {
			t.Errorf("coverd.env: no flag of serve has the twin %s", v[1])
		}
	}
}

// TestDeployedPathsAgree: what one file writes, the other reads.
func TestDeployedPathsAgree(t *testing.T) {
	for name, wants := range map[string][]string{
		"coverd.service":       {installed + " serve --snapshots /var/lib/coverd/snapshots", "EnvironmentFile=-/etc/coverd/coverd.env", "Group=coverd\n", "kill -HUP", "\nSystemCallFilter=setpriority\n"},
		"coverd-build.service": {installed + " build --manifest /etc/coverd/coverd.toml", "StateDirectory=coverd\n", "Group=coverd\n", "UMask=0027\n", "User=coverd-build\n"},
		"coverd-build.timer":   {"Persistent=true\n", "RandomizedDelaySec=", "OnCalendar="},
		"coverd.cron":          {installed + " build --quiet --manifest /etc/coverd/coverd.toml\n", "MAILTO=", "coverd-build "},
		"README.md":            {`snapshots = "/var/lib/coverd/snapshots"`, "/usr/local/bin/coverd", "adduser --system --ingroup coverd"},
	} {
		for _, want := range wants {
			if !strings.Contains(deployFile(t, name), want) {
				t.Errorf("%s lacks %q", name, want)
			}
		}
	}
	entries, err := os.ReadDir(deployed)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.Contains(deployFile(t, "README.md"), "("+e.Name()+")") && e.Name() != "README.md" {
			t.Errorf("README.md does not say what %s is", e.Name())
		}
	}
}

// units are the units of this folder with the real program in them, which
// systemd-analyze wants to see.
func units(t *testing.T) (paths []string) {
	t.Helper()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is not here: ", err)
	}
	program, err := exec.LookPath("coverd")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"coverd.service", "coverd-build.service", "coverd-build.timer"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(deployFile(t, name), installed, program)), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

// TestUnitsAreSound: systemd has nothing to say against them.
func TestUnitsAreSound(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "systemd-analyze", append([]string{"verify", "--man=no"}, units(t)...)...).CombinedOutput()
	// Of units of the machine's own it may say something too.
	var ours []string
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "coverd") {
			ours = append(ours, line)
		}
	}
	if err != nil || len(ours) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

var exposure = regexp.MustCompile(`Overall exposure level for (coverd\S*): ([0-9.]+)`)

// TestUnitsAreClosedOff: of 10 points of exposure a unit has at most 1.1, and
// one without hardening 9.6.
func TestUnitsAreClosedOff(t *testing.T) {
	paths := slices.DeleteFunc(units(t), func(p string) bool { return filepath.Ext(p) != ".service" })
	out, err := exec.CommandContext(t.Context(), "systemd-analyze", append([]string{"security", "--offline=true", "--no-pager"}, paths...)...).CombinedOutput()
	if err != nil {
		t.Skipf("this systemd-analyze does not rate files: %v\n%s", err, out)
	}
	rated := exposure.FindAllStringSubmatch(string(out), -1)
	if len(rated) != len(paths) {
		t.Fatalf("%d of %d units were rated:\n%s", len(rated), len(paths), out)
	}
	for _, r := range rated {
		var points float64
		if _, err := fmt.Sscan(r[2], &points); err != nil || points > 1.1 {
			t.Errorf("%s has an exposure of %s (%v)", r[1], r[2], err)
		}
		t.Logf("%s: %s", r[1], r[2])
	}
}
