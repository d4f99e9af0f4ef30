package io.sirocco.arrow;

import java.io.Serializable;

/** Which columns the results of a task have, and how they are filled. */
public sealed interface ResultOptions extends Serializable
    permits ClassifyOptions, EmbedOptions, GenerateOptions, ScoreOptions {}
