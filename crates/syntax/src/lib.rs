//! Equation and statement text to syntax trees and back; knows no names and no units.
