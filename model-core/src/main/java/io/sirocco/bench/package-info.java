/**
 * Measures a model on this machine against the machine's own peaks, on checkpoints it can make
 * itself.
 */
package io.sirocco.bench;
