package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/sirupsen/logrus"
)

type request struct {
	Directory string   `json:"directory"`
	Files     []string `json:"files"`
	Profiles  []string `json:"profiles"`
	Variables []string `json:"variables"`
}

// One project a line on standard input, what it is read as a line on standard output.
func main() {
	logrus.SetOutput(os.Stderr)
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var one request
		if err := json.Unmarshal(in.Bytes(), &one); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		out.Encode(read(one))
	}
}

func read(one request) map[string]any {
	var files []string
	for _, name := range one.Files {
		files = append(files, filepath.Join(one.Directory, name))
	}
	options, err := cli.NewProjectOptions(files,
		cli.WithWorkingDirectory(one.Directory),
		cli.WithName("oracle"),
		cli.WithEnv(one.Variables),
		cli.WithEnvFiles(),
		cli.WithDotEnv,
		cli.WithProfiles(one.Profiles),
	)
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	text, err := project.MarshalJSON()
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	return map[string]any{"project": json.RawMessage(text)}
}
