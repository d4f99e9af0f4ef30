/**
 * Chat templates: a model's own Jinja template, interpreted within limits, becomes a prompt whose
 * every character is known to come from the template or from the row.
 */
package io.sirocco.template;
