// Package e2e holds the end-to-end tests of the gateway: real gateways over real sockets, beside
// the emulated platform and receivers of events, with nothing replaced. There is nothing to import.
//
// The tests run on SQLite. With CHASQUI_TEST_POSTGRES set to the URL of a PostgreSQL database they
// run on that, each test in a schema of its own. CHASQUI_KILLS says how often the kill test kills
// the gateway, CHASQUI_SEED with which random numbers.
package e2e
