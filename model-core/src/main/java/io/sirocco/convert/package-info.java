/**
 * Mistral's own releases become Hugging Face folders: streamed tensor by tensor, resumable, and
 * there as a whole or not at all.
 */
package io.sirocco.convert;
