/**
 * Weights in the form that kernels want them, made once: in a file that all processes of a host
 * map, or in this process's own memory.
 */
package io.sirocco.prepared;
