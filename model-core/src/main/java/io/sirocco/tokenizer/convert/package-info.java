/**
 * A raw release's tokenizer.model or tekken.json becomes the tokenizer.json that transformers'
 * converters make of it, with the chat template of its generation.
 */
package io.sirocco.tokenizer.convert;
