mod mutated;
mod published;
mod rows;
mod small;
