/** Text to ids and back, chat templates. */
package io.sirocco.tokenizer;
