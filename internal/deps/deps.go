// Package deps holds the arrows between the project's packages, as a test: which package may import
// which. docs/architecture.md draws them.
package deps
