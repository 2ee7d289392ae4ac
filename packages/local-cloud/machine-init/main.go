// Command machine-init is the first process of a machine of the local cloud: process 1 in the machine's
// own namespaces, so that ending it ends everything that runs on the machine.
//
// It reads a Spec as JSON from standard input, runs the set-up commands one after the other, then starts
// the units and keeps them running, as an init system does. It ends with status 1 when the set-up fails.
// Its arguments are not read: they mark the process for whoever looks for the machine.
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

// Spec says what a machine runs.
type Spec struct {
	// Setup are commands (with arguments) run in order before any unit; one that fails ends the machine.
	Setup [][]string `json:"setup"`
	// Units are the processes kept running.
	Units []Unit `json:"units"`
}

// Unit is a process that is started again a second after it ends.
type Unit struct {
	Argv []string `json:"argv"`
	// Env is added to the machine's environment, as NAME=value.
	Env []string `json:"env"`
	// Log is the file that takes the unit's output.
	Log string `json:"log"`
}

const restartDelay = time.Second

func main() {
	var spec Spec
	if err := json.NewDecoder(os.Stdin).Decode(&spec); err != nil {
		fail("the machine was told nothing to run: %v", err)
	}
	for _, command := range spec.Setup {
		output, err := exec.Command(command[0], command[1:]...).CombinedOutput()
		if err != nil {
			fail("%s: %v: %s", strings.Join(command, " "), err, output)
		}
	}
	run(spec.Units)
}

// run starts the units and, until the machine is told to end, collects every child: the units, and the
// orphans that come to process 1.
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
