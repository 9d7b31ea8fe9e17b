// Command reliability writes the page of what Octopus survives from the output of its tests: a line per row of rows.txt,
// with the verdict and the evidence that the test of the row has printed ("F07 pass …"). A row that nothing was printed
// about is not there yet; a row of which one line says fail has failed. It passes the rows' lines, and those of tests that
// fail, on to its own output. The exit code is 1 when a row failed.
//
//	go test -v ./cmd/octopus/... | go run ./bench/reliability bench/RELIABILITY.md
//
// "make faults" does so with the heavy forms of the rows.
//
// Start reading at main.
package main
