package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"
)

// hookGrace is how long what a hook has started may keep its output open once
// the hook itself has ended.
const hookGrace = time.Second

// runHook runs the operator's command on a snapshot that is not active yet, and
// returns an error if it fails or takes too long.
func runHook(ctx context.Context, o *buildOptions, std stdio, snapshot, previous, report string) error {
	limited, cancel := context.WithTimeout(ctx, o.hookTime)
	defer cancel()
	cmd := exec.CommandContext(limited, "sh", "-c", o.hook)
	// Two names are those of flags' twins, so that a hook's "coverd lookup" asks
	// the new snapshot without being told. The report's must not be: it would be
	// where a build that the hook starts writes its own.
	cmd.Env = append(cmd.Environ(), twin("snapshot")+"="+snapshot, twin("previous")+"="+previous, twin("report-page")+"="+report)
	cmd.Stdout, cmd.Stderr = std.err, std.err
	cmd.WaitDelay = hookGrace
	ownGroup(cmd)
	err := cmd.Run()
	if errors.Is(limited.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("it did not end within %v (--hook-timeout)", o.hookTime)
	}
	return err
}
