"""The embedded chat model: answers out of the sources it is given, by rules, without a language model."""
