/**
 * Mistral itself, readable next to the paper: config, weights by their Hugging Face names, rotary
 * embedding, attention, feed-forward, decoder layer, heads.
 */
package io.sirocco.model;
