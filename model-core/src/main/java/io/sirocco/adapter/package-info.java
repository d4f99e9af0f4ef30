/**
 * PEFT's LoRA adapters: a folder's adapter_config.json and its weights become low-rank matrices of
 * a model's linear layers; what the two do not agree on, or what nobody here computes, is refused.
 */
package io.sirocco.adapter;
