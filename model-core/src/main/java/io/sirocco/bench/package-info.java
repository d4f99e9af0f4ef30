/**
 * Measures a model on this machine: its speed against the machine's own peaks, on checkpoints it
 * can make itself, and what a precision changes in its answers.
 */
package io.sirocco.bench;
