package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// cli is the command line. Every flag has an environment variable: OCTOPUS_ and the name of the flag in upper case, with
// underscores. The flag wins; an empty variable counts as none.
type cli struct {
	Start         startCommand         `cmd:"" help:"Run the gateway and the admin server."`
	Demo          demoCommand          `cmd:"" help:"Run with a scripted provider inside and print curl lines to paste."`
	Backup        backupCommand        `cmd:"" help:"Copy the database of a running server."`
	ResetPassword resetPasswordCommand `cmd:"" help:"Set the admin password in the database of a stopped server."`
	Healthcheck   healthcheckCommand   `cmd:"" help:"Exit 0 when the local server is ready (for containers)."`
	Version       versionCommand       `cmd:"" help:"Print the version."`
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run executes one command line and returns the exit code of the process.
func run(args []string, stdout, stderr io.Writer) int {
	err := execute(args, stdout, stderr)
	if err == nil {
		return 0
	}
	fmt.Fprintf(stderr, "octopus: %s\n", oneLine(err.Error()))
	return 1
}

func execute(args []string, stdout, stderr io.Writer) error {
	parser, err := newParser(&cli{}, stdout, stderr)
	if err != nil {
		return err
	}
	if err := forgetEmptyVariables(parser.Model); err != nil {
		return err
	}
	command, err := parser.Parse(args)
	if err != nil {
		return err
	}
	return command.Run()
}

// newParser returns a parser that fills c. Help goes to stdout, and so does what commands print.
func newParser(c *cli, stdout, stderr io.Writer) (*kong.Kong, error) {
	return kong.New(c,
		kong.Name("octopus"),
		kong.Description("A self-hosted LLM gateway: many provider accounts behind one endpoint."),
		kong.DefaultEnvars("OCTOPUS"),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Writers(stdout, stderr),
		kong.BindTo(stdout, (*io.Writer)(nil)),
		kong.Bind(os.Stdin),
	)
}

// forgetEmptyVariables removes variables of flags that are set to nothing from the environment. A compose file that says
// "OCTOPUS_ADMIN_HOST: ${ADMIN_HOST:-}" means the default, not every interface of the machine.
func forgetEmptyVariables(app *kong.Application) error {
	return kong.Visit(app, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			for _, name := range flag.Envs {
				if value, set := os.LookupEnv(name); set && value == "" {
					if err := os.Unsetenv(name); err != nil {
						return err
					}
				}
			}
		}
		return next(nil)
	})
}

// oneLine joins the lines of an error that has several, so that logs and terminals show it as one.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}
