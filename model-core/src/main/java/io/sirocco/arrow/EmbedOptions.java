package io.sirocco.arrow;

/** The result columns of {@link io.sirocco.engine.Task.Embed}, which leave no choice. */
public record EmbedOptions() implements ResultOptions {}
