package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"octopus/admin"
	"octopus/admin/store"
)

// maxPasswordLine bounds what is read of standard input.
const maxPasswordLine = 4096

// resetPasswordCommand sets the password of admin in the database of a server that does not run.
type resetPasswordCommand struct {
	databaseFlags
	secretKeyFlags
	AdminPassword string `placeholder:"PASSWORD" help:"The new password, at least 8 characters; other users of the machine see it here, so better give it as variable or as a line on standard input."`
}

// Run sets the password and says so.
func (c *resetPasswordCommand) Run(stdin *os.File, stdout io.Writer) error {
	password := c.AdminPassword
	if password == "" {
		var err error
		if password, err = readPassword(stdin, stdout); err != nil {
			return fmt.Errorf("reset-password: %w", err)
		}
	}
	if err := c.reset(password); err != nil {
		return fmt.Errorf("reset-password: %w", err)
	}
	_, err := fmt.Fprintln(stdout, "the password of admin is set")
	return err
}

func (c *resetPasswordCommand) reset(password string) (err error) {
	if c.SecretKey == "" {
		// A missing key would be made, which opens nothing.
		if _, err := os.Stat(c.file(&c.databaseFlags)); err != nil {
			return fmt.Errorf("secret key: %w", err)
		}
	}
	key, err := readSecretKey(c.SecretKey, c.file(&c.databaseFlags))
	if err != nil {
		return err
	}
	s, err := store.Open(store.Options{Path: c.DatabasePath, SecretKey: key, MustExist: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return admin.SetPassword(s, password)
}

// readPassword reads a line of standard input, and asks for it when a person types it.
func readPassword(stdin *os.File, stdout io.Writer) (string, error) {
	if isTerminal(stdin) {
		if _, err := io.WriteString(stdout, "New password of admin (it is shown as you type): "); err != nil {
			return "", err
		}
	}
	line, err := bufio.NewReader(io.LimitReader(stdin, maxPasswordLine)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", errors.New("expected the new password in --admin-password, OCTOPUS_ADMIN_PASSWORD or a line on standard input")
	}
	return line, nil
}

// isTerminal reports whether a person may be typing: a device of characters other than the one that has none.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	nothing, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, nothing)
}
