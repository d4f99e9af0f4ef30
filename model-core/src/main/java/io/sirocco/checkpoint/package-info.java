/**
 * A model folder on disk becomes named, shaped, typed tensors mapped into memory; nothing is
 * copied, nothing is trusted.
 */
package io.sirocco.checkpoint;
