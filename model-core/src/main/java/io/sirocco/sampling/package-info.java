/**
 * Scores to tokens: processors in the reference order, greedy, sampling, beams, stop conditions.
 */
package io.sirocco.sampling;
