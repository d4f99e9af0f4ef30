/**
 * Weights in the form that kernels want them, made once: in a file that all processes of a host
 * map, or in this process's own memory. A file is checked by its own checksum; while its folder is
 * open, nobody removes it, and others can tell how much room it takes.
 */
package io.sirocco.prepared;
