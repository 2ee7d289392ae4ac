// Command machine-init is the init process of a host of the local cloud: PID 1 in the host's namespaces, so that killing
// it kills everything that runs on the host.
//
// It reads a Spec as JSON from standard input, runs the setup commands one after the other, then starts the units and
// restarts them when they exit. It exits with status 1 if a setup command fails. Its arguments are ignored: they only make
// the process recognizable as that host.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// Spec describes the processes of a host.
type Spec struct {
	// Setup contains commands (with arguments) that run in order before the units. A failed command ends the host.
	Setup [][]string `json:"setup"`
	// Units are processes that are kept running.
	Units []Unit `json:"units"`
}

// Unit is a process that is restarted one second after it exits.
type Unit struct {
	Argv []string `json:"argv"`
	// Env is added to the host's environment, as NAME=value.
	Env []string `json:"env"`
	// Log is the file for the unit's output.
	Log string `json:"log"`
}

const restartDelay = time.Second

func main() {
	var spec Spec
	if err := json.NewDecoder(os.Stdin).Decode(&spec); err != nil {
		fail("standard input is not a valid spec: %v", err)
	}
	for _, command := range spec.Setup {
		output, err := exec.Command(command[0], command[1:]...).CombinedOutput()
		if err != nil {
			fail("%s: %v: %s", strings.Join(command, " "), err, output)
		}
	}
	run(spec.Units)
}

// run starts the units. Until the host is stopped, it reaps all child processes: the units, and orphans that PID 1
// inherits.
func run(units []Unit) {
	children := make(chan os.Signal, 16)
	signal.Notify(children, syscall.SIGCHLD)
	terminate := make(chan os.Signal, 1)
	signal.Notify(terminate, syscall.SIGTERM, syscall.SIGINT)
	restart := make(chan Unit, len(units))
	running := map[int]Unit{}
	for _, unit := range units {
		restart <- unit
	}
	for {
		select {
		case <-terminate:
			return
		case unit := <-restart:
			if pid, err := start(unit); err != nil {
				later(restart, unit)
			} else {
				running[pid] = unit
			}
		case <-children:
			for {
				pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
				if pid <= 0 || err != nil {
					break
				}
				if unit, ours := running[pid]; ours {
					delete(running, pid)
					later(restart, unit)
				}
			}
		}
	}
}

func start(unit Unit) (int, error) {
	log, err := os.OpenFile(unit.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	path, err := exec.LookPath(unit.Argv[0])
	if err != nil {
		fmt.Fprintln(log, err)
		return 0, err
	}
	return syscall.ForkExec(path, unit.Argv, &syscall.ProcAttr{
		Env:   append(os.Environ(), unit.Env...),
		Files: []uintptr{0, log.Fd(), log.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
}

func later(restart chan<- Unit, unit Unit) {
	time.AfterFunc(restartDelay, func() { restart <- unit })
}

func fail(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, "machine-init: "+format+"\n", arguments...)
	os.Exit(1)
}
